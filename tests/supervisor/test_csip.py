"""IEEE 2030.5: controls read, the public CSIP-AUS procedures played, and a server with mutual TLS.

The server's documents are made by envoy-schema, another implementation than the client's.
"""

import asyncio
import contextlib
import datetime
import ipaddress
import re
import ssl

import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st

from hil.peers.utility import Utility
from supervisor.grid.csip import SOURCE, Csip, wire_of
from supervisor.inbox import Inbox
from supervisor.sections.csip import CsipConfig
from tests.supervisor.test_sunspec import Shown, told

pytest.importorskip("py20305")
MW, LIMIT_W, T = 1_000_000, 100_000_000, 1_800_000_000


class Wire:
    """py20305's client as far as discovery goes, on a utility without sockets."""

    client_lfdi, server_2018_compat = "aa" * 20, False

    def __init__(self, utility):
        from py20305.client.timebase import ServerTimebase

        self.utility, self.csip_aus_mode = utility, False
        self.timebase = ServerTimebase(enabled=False)

    async def get_with_body(self, path, kind):
        from py20305.client.errors import Sep2ConnectionError, Sep2PayloadError, Sep2ProtocolError
        from py20305.xml.serialization import XmlParseError, from_xml

        self.utility.asked += 1
        if self.utility.down:
            raise Sep2ConnectionError("nobody is there")
        body = self.utility.garbage or self.utility.document(path.partition("?")[0])
        if body is None:
            raise Sep2ProtocolError(404, "GET", path)
        try:
            return from_xml(body, kind), body
        except XmlParseError as error:
            raise Sep2PayloadError(str(error), path=path, body_length=len(body)) from None

    async def get(self, path, kind):
        return (await self.get_with_body(path, kind))[0]

    async def get_list(self, path, kind):
        return [await self.get(path, kind)]

    async def post(self, path, resource):
        from py20305.client.errors import Sep2ConnectionError
        from py20305.xml.serialization import to_xml

        if self.utility.down:
            raise Sep2ConnectionError("nobody is there")
        self.utility.posts.append((path, to_xml(resource)))
        return f"{path}/1"

    async def close(self):
        pass


class Story:
    """A site, its utility, and the clock that both go by."""

    def __init__(self, **section):
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        self.clock = lambda: T + loop.time() - begun_s
        self.utility = Utility(now=self.clock)
        self.inbox, self.board = Inbox(), Shown()
        keys = {"url": "http://utility", "stagger_s": 0}
        self.site = Csip(
            CsipConfig(**(keys | section)),
            "ridge-1",
            LIMIT_W,
            self.inbox,
            self.board,
            Wire(self.utility),
            self.clock,
        )

    def begin(self):
        self.task = asyncio.create_task(self.site.run())

    async def at(self, s):
        """MW allowed so many seconds after the beginning."""
        await asyncio.sleep(T + s - self.clock())
        return self.inbox.entries[SOURCE].limit_w(self.clock()) / MW

    def answers(self):
        """The statuses told, by control."""
        heard = {}
        for answer in self.utility.posted("/rsps"):
            subject, status = re.findall(rb"<(?:subject|status)>(\w+)", answer)[::-1]
            heard.setdefault(int(subject, 16), []).append(int(status))
        return heard

    def refusals(self):
        return [refusal.because for refusal in self.inbox.take_refusals()]


# ---- the public procedures, in per cent of the largest import, which is 100 MW here


@pytest.mark.asyncio
async def test_all_23_communication_loss():
    """Five controls of a minute, default 0 by 0.27 %/s; cut 10 s in for 420 s; then another."""
    story = Story()
    story.utility.say_default(0, grad=27)
    for n, percent in enumerate((200, 20, 180, 70, 130)):
        story.utility.control(T + 60 * n, 60, percent * MW)
    story.begin()
    assert await story.at(1) == 200, "GET-DEFAULT-DERC: the schedule and its default are read"
    await story.at(10)
    story.utility.down = True
    asked = story.utility.asked
    assert [await story.at(s) for s in (59, 60, 119)] == [200, 20, 20]
    rises = [await story.at(s) for s in (179, 239, 299)]
    assert rises == pytest.approx([36.2, 52.4, 68.6], abs=0.5), "as fast as the gradient lets it"
    assert await story.at(300) == pytest.approx(68.6, abs=0.5)
    assert await story.at(400) == pytest.approx(68.6 - 27, abs=0.5), "then to the default"
    before = await story.at(429)
    assert before == pytest.approx(68.6 - 0.27 * 129, abs=0.5)
    assert story.refusals() == ["the server: Sep2ConnectionError nobody is there"], "said once"
    story.utility.down = False
    story.utility.control(T + 430, 300, 200 * MW)
    await story.at(492)
    assert story.utility.asked > asked, "GET-DERC-AFTER-COMMS-RESTORE: it polls the list"
    after = await story.at(550)
    assert 0 < after < 40 and after > await story.at(500) - 0.1
    assert await story.at(729) > 75, "WAIT-TEST-FINISH, and to the end of the control"
    assert await story.at(731) == 0, "a control said to end ends at once"


@pytest.mark.asyncio
async def test_all_23_without_restoration_ends_at_the_default():
    story = Story()
    story.utility.say_default(0, grad=27)
    story.utility.control(T, 300, 200 * MW)
    story.begin()
    await story.at(10)
    story.utility.down = True
    assert await story.at(301) == pytest.approx(200, abs=1)
    assert await story.at(300 + 370) == pytest.approx(200 - 27 * 3.7, abs=0.5)
    assert await story.at(300 + 741) == 0


@pytest.mark.asyncio
async def test_loa_11_variable_import_limit():
    """200, 100, 40, 25 and 0 % for two minutes each, 6 %/s; every control answered three times."""
    story = Story()
    story.utility.say_default(0, grad=600)
    steps = (200, 100, 40, 25, 0)
    for n, percent in enumerate(steps):
        story.utility.control(T + 120 * n, 120, percent * MW)
    story.begin()
    for n, percent in enumerate(steps):
        assert [await story.at(120 * n + s) for s in (0.1, 60, 119)] == [percent] * 3
    assert await story.at(601) == 0, "the default control, too, lets nothing be imported"
    await story.at(670)
    assert story.answers() == {n: [1, 2, 3] for n in (1, 2, 3, 4, 5)}
    assert len(story.board.weighed) == 1 and story.refusals() == []


# ---- what else a server may say


@pytest.mark.asyncio
async def test_a_start_without_a_server_is_failsafe():
    story = Story(default_mw=3)
    story.utility.down = True
    story.begin()
    assert await story.at(100) == 3
    story.utility.down = False
    story.utility.say_default(8 * MW)
    assert await story.at(121) == 8, "the default control is heard"


@pytest.mark.asyncio
async def test_cancelled_controls_are_gone_and_said_so():
    story = Story(default_mw=3)
    first = story.utility.control(T, 600, 60 * MW)
    story.begin()
    assert await story.at(1) == 60
    first.EventStatus_.currentStatus = 2
    assert await story.at(61) == 3 and story.answers() == {1: [1, 2, 6]}
    first.EventStatus_.currentStatus = 1
    story.utility.controls.clear()
    assert await story.at(121) == 3


@pytest.mark.asyncio
async def test_of_overlapping_controls_the_lower_holds_and_others_are_passed_over():
    story = Story()
    story.utility.control(T, 600, 60 * MW)
    story.utility.control(T + 100, 100, 40 * MW)
    story.utility.control(T, 600, None)
    story.begin()
    assert [await story.at(s) for s in (50, 150, 250)] == [60, 40, 60]
    assert set(story.answers()) == {1, 2}, "what it does not follow it does not answer"


@pytest.mark.asyncio
async def test_random_starts_are_this_sites_own_and_stay():
    story = Story(default_mw=3)
    story.utility.control(T + 10, 600, 60 * MW, randomizeStart=100)
    story.begin()
    await story.at(5)
    (from_s, _), *_ = story.inbox.entries[SOURCE].schedule
    assert T + 10 < from_s < T + 110
    await story.at(300)
    assert story.inbox.entries[SOURCE].schedule[0][0] == from_s


@pytest.mark.asyncio
async def test_polls_that_find_nothing_new_are_no_news():
    story = Story()
    story.utility.control(T, 86_400, 60 * MW)
    story.begin()
    await story.at(61)
    story.inbox.take_news()
    await story.at(3_000)
    assert story.inbox.take_news() == []
    assert story.inbox.entries[SOURCE].heard_s > story.clock() - 61


@pytest.mark.asyncio
async def test_the_sites_power_is_told_and_never_an_old_one():
    from envoy_schema.server.schema.sep2 import metering_mirror as mirror

    story = Story(report_s=10)
    story.begin()
    await story.at(5)
    story.board.told = told()
    await story.at(11)
    point, reading = story.utility.posted("/mup")
    made = mirror.MirrorUsagePointRequest.from_xml(point)
    (kind,) = made.mirrorMeterReadings
    assert made.deviceLFDI.lower() == "aa" * 20 and made.roleFlags == "0003"
    assert (kind.readingType.uom, kind.readingType.flowDirection) == (38, 1)
    said = mirror.MirrorMeterReadingRequest.from_xml(reading)
    assert said.reading.value == 59 * MW and said.mRID == kind.mRID
    assert abs(said.reading.timePeriod.start - story.clock()) < 2
    story.board.told = told(metered_age_s=60.0)
    await story.at(100)
    assert len(story.utility.posted("/mup")) == 2
    story.utility.down = True
    story.board.told = told()
    await story.at(121)
    story.utility.down = False
    await story.at(131)
    assert len(story.utility.posted("/mup")) == 4, "the point is put there anew"


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "garbage", [b"<", b"<html/>", b"\xff" * 100, b"{}", b"<DeviceCapability/>", b"<a>" * 9_999]
)
async def test_garbage_from_the_server_moves_nothing(garbage):
    story = Story()
    story.utility.control(T, 86_400, 60 * MW)
    story.begin()
    assert await story.at(1) == 60
    story.utility.garbage = garbage
    assert await story.at(600) == 60 and len(story.refusals()) == 1
    story.utility.garbage = b""
    assert await story.at(700) == 60 and story.refusals() == [] and not story.task.done()


@pytest.mark.asyncio
async def test_a_server_that_does_not_know_the_site_moves_nothing():
    story = Story(default_mw=3)
    story.utility.lfdi = "bb" * 20
    story.utility.control(T, 600, 60 * MW)
    story.begin()
    assert await story.at(10) == 3 and "0 end devices by our LFDI aa" in story.refusals()[0]


@pytest.mark.asyncio
async def test_a_negative_limit_is_refused_and_the_last_good_form_stands():
    story = Story()
    story.utility.control(T, 3_600, 60 * MW)
    story.begin()
    assert await story.at(1) == 60
    story.utility.control(T, 3_600, -5 * MW)
    assert await story.at(200) == 60
    assert "opModImpLimW is -5e+06 W; import is 0 or more" in story.refusals()[0]


@given(st.binary(max_size=300), st.integers(0, 2_000))
def test_any_document_broken_anywhere_is_a_schedule_within_reason_or_refused(noise, at):
    """Captured documents with a piece put in or lost."""

    async def play():
        story = Story()
        story.utility.control(T, 600, 60 * MW)
        whole = story.utility.document

        def broken(path):
            body = whole(path)
            if path != "/derc":
                return body
            cut = at % len(body)
            return body[:cut] + noise + body[cut + len(noise) // 2 :]

        story.utility.document = broken
        await story.site.look()
        entry = story.inbox.entries.get(SOURCE)
        assert entry is None or all(0 <= w <= 10**10 for _, w in entry.schedule)

    asyncio.run(play())


# ---- with real sockets, and a certificate on both sides


def certificates(folder):
    """A CA, a server and a client, by elliptic curves as the standard has it."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    now = datetime.datetime.now(datetime.UTC)

    def made(name, issuer=None, issuer_key=None):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        where = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        authority = x509.BasicConstraints(ca=issuer is None, path_length=None)
        builder = (
            x509.CertificateBuilder(issuer or subject, subject, key.public_key(), 1 + len(name))
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
            .add_extension(x509.SubjectAlternativeName(where), critical=False)
            .add_extension(authority, critical=True)
        )
        certificate = builder.sign(issuer_key or key, hashes.SHA256())
        pem = serialization.Encoding.PEM
        (folder / f"{name}.pem").write_bytes(certificate.public_bytes(pem))
        plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        (folder / f"{name}.key").write_bytes(key.private_bytes(pem, *plain))
        return certificate.subject, key

    authority, key = made("ca")
    made("server", authority, key)
    made("client", authority, key)


@contextlib.asynccontextmanager
async def served(utility, folder):
    """Its port."""
    config = uvicorn.Config(
        utility.app,
        port=0,
        interface="asgi3",
        lifespan="off",
        log_level="critical",
        ssl_certfile=str(folder / "server.pem"),
        ssl_keyfile=str(folder / "server.key"),
        ssl_ca_certs=str(folder / "ca.pem"),
        ssl_cert_reqs=ssl.CERT_REQUIRED,
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    async with asyncio.timeout(30):
        while not server.started:
            await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await task


@pytest.mark.real_time
@pytest.mark.asyncio
async def test_a_whole_story_over_mutual_tls(tmp_path, until):
    certificates(tmp_path)
    utility, inbox = Utility(), Inbox()
    async with served(utility, tmp_path) as port:
        section = CsipConfig(
            url=f"https://localhost:{port}",
            cert_file=str(tmp_path / "client.pem"),
            key_file=str(tmp_path / "client.key"),
            ca_file=str(tmp_path / "ca.pem"),
            poll_s=0.1,
            report_s=0.1,
            default_mw=3,
        )
        wire = wire_of(section)
        utility.lfdi = wire.client_lfdi.lower()
        board = Shown()
        board.told = told()
        site = Csip(section, "ridge-1", LIMIT_W, inbox, board, wire)
        task = asyncio.create_task(site.run())

        def mw():
            return inbox.entries[SOURCE].limit_w(utility.now()) / MW

        await until(lambda: SOURCE in inbox.entries and mw() == 3)
        utility.say_default(8 * MW)
        await until(lambda: mw() == 8)
        first = utility.control(utility.now() - 10, 3_600, 60 * MW)
        await until(lambda: mw() == 60)
        await until(lambda: len(utility.posted("/rsps")) == 2)
        utility.control(utility.now() - 10, 3_600, 40 * MW)
        await until(lambda: mw() == 40)
        await until(lambda: len(utility.posted("/mup/1")) > 2)
        utility.down = True
        await until(lambda: inbox.refused[SOURCE])
        assert mw() == 40
        first.EventStatus_.currentStatus = utility.controls[1].EventStatus_.currentStatus = 2
        utility.down = False
        await until(lambda: mw() == 8)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    bare = wire_of(CsipConfig(url=f"https://localhost:{port}"))
    assert bare.client_lfdi is None
    await bare.close()
