"""News goes out: to a real web server and a real mail server, again and never too often."""

import asyncio
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import pytest_asyncio
from aiosmtpd.controller import Controller

from supervisor.alarms import channels, notify
from supervisor.alarms.channels import Mail, Webhook, headline, mail, notifier_of
from supervisor.alarms.notify import Outbox, SendError, worth_telling
from supervisor.alarms.state import Alarm, Change
from supervisor.config import ConfigError, load
from supervisor.sections.alarms import AlarmsConfig


def change(what="raised", rule="rig-fan", subject="c07-r2-14", severity="critical", **more):
    silenced = more.pop("silenced", False)
    alarm = Alarm(
        rule=rule, subject=subject, severity=severity, since_s=1.8e9, text="no fan", **more
    )
    return Change(change=what, alarm=alarm, at_s=1.8e9, silenced=silenced)


# ---- what is worth telling


@pytest.mark.parametrize(
    "news, told",
    [
        (change(), True),
        (change("cleared"), True),
        (change("grew"), True),
        (change("acked"), False),
        (change("merged"), False),
        (change(silenced=True), False),
        (change(severity="notice"), False),
        (change(severity="warning"), True),
        (change("cleared", acked_by="ann"), False),
    ],
)
def test_what_is_worth_telling(news, told):
    assert bool(worth_telling([news], "warning")) is told


# ---- the outbox, in virtual time


class Fussy:
    """A channel that fails as often as it is told to."""

    name = "fussy"

    def __init__(self, failures=0):
        self.failures, self.sent, self.tried_s = failures, [], []

    async def send(self, news, dropped):
        self.tried_s.append(asyncio.get_running_loop().time())
        if self.failures:
            self.failures -= 1
            raise SendError("not now")
        self.sent.append(([c.alarm.subject for c in news], dropped))


@pytest_asyncio.fixture
async def outbox_of():
    tasks = []

    def make(channel, per_hour=3600.0):
        outbox = Outbox(channel, "warning", per_hour, asyncio.get_running_loop().time)
        tasks.append(asyncio.create_task(outbox.run()))
        return outbox

    yield make
    for task in tasks:
        task.cancel()


@pytest.mark.asyncio
async def test_what_comes_together_goes_together(outbox_of):
    channel = Fussy()
    outbox = outbox_of(channel)
    for name in ("a", "b", "c"):
        outbox.put([change(subject=name)])
        await asyncio.sleep(0.2)
    await asyncio.sleep(5)
    assert channel.sent == [(["a", "b", "c"], 0)]


@pytest.mark.asyncio
async def test_it_is_tried_again_with_growing_pauses_and_nothing_is_lost(outbox_of):
    channel = Fussy(failures=5)
    outbox = outbox_of(channel)
    outbox.put([change(subject="a")])
    await asyncio.sleep(10)
    outbox.put([change(subject="b")])
    assert outbox.failing_s() > 5
    await asyncio.sleep(100)
    assert channel.sent == [(["a", "b"], 0)] and outbox.failing_s() == 0
    gaps = [round(b - a) for a, b in zip(channel.tried_s, channel.tried_s[1:])]
    assert gaps == [1, 2, 4, 8, 16]


@pytest.mark.asyncio
async def test_never_more_often_than_allowed_and_nothing_is_lost(outbox_of):
    channel = Fussy()
    outbox = outbox_of(channel, per_hour=10.0)
    for n in range(600):
        outbox.put([change(subject=str(n))])
        await asyncio.sleep(6)
    await asyncio.sleep(400)
    assert 10 <= len(channel.sent) <= 10 + notify.BURST + 2
    assert [name for names, _ in channel.sent for name in names] == [str(n) for n in range(600)]


@pytest.mark.asyncio
async def test_a_flood_ends_in_a_number(outbox_of):
    channel = Fussy(failures=1)
    outbox = outbox_of(channel)
    outbox.put([change(subject=str(n)) for n in range(700)])
    await asyncio.sleep(10)
    ((names, dropped),) = channel.sent
    assert len(names) == notify.PENDING_MAX and dropped == 200 and names[-1] == "699"


# ---- a webhook


class Server:
    """A web server that remembers, and answers what it is told to."""

    def __init__(self, *answers):
        answers, self.heard = list(answers), []
        heard = self.heard

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                heard.append((self.headers.get("Authorization"), json.loads(body)))
                self.send_response(answers.pop(0) if answers else 204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.http = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/hook"

    def __enter__(self):
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.02,))
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


@pytest.mark.real_time
@pytest.mark.asyncio
async def test_a_webhook_is_told_all_of_it_until_it_takes_it(monkeypatch, until, tmp_path):
    monkeypatch.setattr(notify, "GATHER_S", 0.05)
    monkeypatch.setattr(notify, "RETRY_S", 0.05)
    (tmp_path / "token").write_text("hush\n")
    (tmp_path / "token").chmod(0o600)
    with Server(503, 500) as server:
        config = AlarmsConfig(webhook=server.url, webhook_token_file=str(tmp_path / "token"))
        notifier = notifier_of("ridge-1", config)
        running = asyncio.create_task(notifier.run())
        notifier.tell([change(), change("acked"), change(subject="c08", rule="rig-silent")])
        await until(lambda: len(server.heard) == 3 and notifier.failing()["webhook"] == 0)
        running.cancel()
    token, body = server.heard[-1]
    assert token == "Bearer hush" and body["site"] == "ridge-1"
    first, second = body["changes"]
    assert (first["key"], first["change"]) == ("rig-fan c07-r2-14", "raised")
    assert first["tool"] and first["check"] and first["means"] and second["subject"] == "c08"


@pytest.mark.real_time
@pytest.mark.asyncio
async def test_a_webhook_that_is_not_there_is_an_error_that_can_be_read():
    with Server() as server:
        pass
    with pytest.raises(SendError, match=r"."):
        await Webhook("ridge-1", server.url).send([change()], 0)


# ---- mail


class Box:
    def __init__(self, *refusals):
        self.mails, self.refusals = [], list(refusals)

    async def handle_DATA(self, server, session, envelope):
        if self.refusals:
            return self.refusals.pop(0)
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, envelope.content.decode()))
        return "250 taken"


@pytest.fixture
def post():
    box = Box()
    with socket.create_server(("127.0.0.1", 0)) as free:
        box.port = free.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    yield box
    controller.stop()


def mail_config(port, **more):
    return AlarmsConfig(
        email_to="ops@example.org",
        email_from="site@example.org",
        smtp_host="127.0.0.1",
        smtp_port=port,
        smtp_security="none",
        **more,
    )


@pytest.mark.real_time
@pytest.mark.asyncio
async def test_a_mail_says_what_to_do(post):
    channel = Mail("ridge-1", mail_config(post.port))
    await channel.send([change(count=300, rigs=["c07-r1", "c07-r2"]), change("cleared")], 3)
    ((sender, receivers, text),) = post.mails
    assert (sender, receivers) == ("site@example.org", ["ops@example.org"])
    assert "[ridge-1] critical raised: c07-r2-14, 300 rigs: no fan and 1 more" in text
    assert "means  it will overheat" in text and "bring  spare fan" in text
    assert "c07-r1, c07-r2" in text and "3 earlier changes" in text


@pytest.mark.real_time
@pytest.mark.asyncio
async def test_a_mail_that_is_refused_is_tried_again(post, monkeypatch, until):
    monkeypatch.setattr(notify, "GATHER_S", 0.05)
    monkeypatch.setattr(notify, "RETRY_S", 0.05)
    post.refusals = ["451 later", "451 later"]
    notifier = notifier_of("ridge-1", mail_config(post.port))
    running = asyncio.create_task(notifier.run())
    notifier.tell([change()])
    await until(lambda: post.mails and notifier.failing()["mail"] == 0)
    running.cancel()
    assert len(post.mails) == 1


@pytest.mark.real_time
@pytest.mark.asyncio
async def test_a_server_without_tls_gets_no_password(post):
    config = AlarmsConfig(
        email_to="ops@example.org", smtp_host="127.0.0.1", smtp_port=post.port, smtp_user="site"
    )
    with pytest.raises(SendError) as refused:
        await Mail("ridge-1", config, "hush").send([change()], 0)
    assert "hush" not in str(refused.value) and not post.mails


def test_foreign_text_cannot_add_a_header():
    evil = change(subject="c07\nBcc: all@example.org")
    message = mail("ridge-1", mail_config(25), [evil], 0)
    assert message["Bcc"] is None and "\n" not in headline(evil)


@pytest.mark.asyncio
async def test_without_channels_nothing_is_sent_and_it_runs_on():
    notifier = channels.notifier_of("ridge-1", AlarmsConfig())
    running = asyncio.create_task(notifier.run())
    notifier.tell([change()])
    await asyncio.sleep(5)
    assert not running.done() and notifier.failing() == {}
    running.cancel()


# ---- settings


@pytest.mark.parametrize(
    "keys, wrong",
    [
        ('email_to = "a@b.c"', "alarms.email_to: needs smtp_host"),
        ('email_to = "nobody"', "an e-mail address"),
        ('webhook = "ftp://x"', "an http"),
        ('webhook_token_file = "nothing"', "alarms.webhook_token_file: no such file"),
        ('least = "panic"', "critical"),
        ('email_to="a@b.c"\nsmtp_host="h"\nsmtp_user="u"', "alarms.smtp_user: needs smtp_password"),
    ],
)
def test_settings_that_cannot_be(tmp_path, keys, wrong):
    file = tmp_path / "site.toml"
    file.write_text(f'[site]\nname = "a"\nlimit_mw = 1.0\n[alarms]\n{keys}\n')
    with pytest.raises(ConfigError, match=wrong):
        load(file)
