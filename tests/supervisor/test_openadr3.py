"""The OpenADR 3.1 VEN against a VTN: a whole story in virtual time, and foreign clients."""

import asyncio
import threading
import time

import aiomqtt
import httpx
import pytest
import uvicorn

from hil.peers.vtn3 import BASE, CLIENT_ID, SECRET, Vtn3
from supervisor.broker import Broker
from supervisor.grid import openadr3_notify
from supervisor.grid.openadr3 import SOURCE, TOPICS, Openadr3
from supervisor.grid.openadr3_client import Vtn, VtnError
from supervisor.grid.openadr3_notify import Webhook
from supervisor.inbox import Inbox
from supervisor.sections.openadr3 import Openadr3Config
from tests.supervisor.test_sunspec import Shown, told

MW, LIMIT_W = 1_000_000, 100_000_000
T = 1_800_000_000.0
LIMIT, SUBSCRIPTION = "IMPORT_CAPACITY_LIMIT", "IMPORT_CAPACITY_SUBSCRIPTION"


GARBAGE = (b"[", b"{}", b"[1]", b"\xff" * 9, b"[" * 100_000, b" " * 5_000_000)


class Story:
    """A VEN, its VTN, and the clock that both the loop and the words go by."""

    task: asyncio.Task[None]

    def __init__(self, **section) -> None:
        self.vtn, self.inbox, self.board = Vtn3(), Inbox(), Shown()
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        self.clock = lambda: T + loop.time() - begun_s
        keys = {"url": self.vtn.url, "client_id": CLIENT_ID, "secret_file": "-", "stagger_s": 0}
        self.section = Openadr3Config(**(keys | section))
        wire = Vtn(self.vtn.url, CLIENT_ID, SECRET, transport=self.vtn.transport(), clock=loop.time)
        self.ven = Openadr3(
            self.section, "ridge-1", LIMIT_W, self.inbox, self.board, wire, self.clock
        )

    def mw(self) -> float | None:
        limit_w = self.inbox.entries[SOURCE].limit_w(self.clock())
        return None if limit_w is None else limit_w / MW

    def refusals(self) -> list[str]:
        return [refusal.because for refusal in self.inbox.take_refusals()]


async def started(**section) -> Story:
    """A VEN that runs until its loop ends."""
    story = Story(**{"default_mw": 2} | section)
    story.task = asyncio.create_task(story.ven.run())
    await asyncio.sleep(1)
    return story


@pytest.mark.asyncio
async def test_it_enrols_once_with_its_size():
    running = await started()
    await asyncio.sleep(100)
    (ven,) = running.vtn.store["vens"].values()
    (resource,) = running.vtn.store["resources"].values()
    assert ven["venName"] == "ridge-1" and resource["venID"] == ven["id"]
    assert ven["attributes"] == [{"type": "MAX_POWER_CONSUMPTION", "values": [100_000.0]}]


@pytest.mark.asyncio
async def test_a_whole_story():
    """Subscription, limit, emergency, cancel; the VTN gone, back again."""
    running = await started()
    assert running.mw() == 2, "its own default: nothing is known"
    running.vtn.event((SUBSCRIPTION, 20_000), length="P9999Y")
    await asyncio.sleep(31)
    assert running.mw() == 20
    limit = running.vtn.event((LIMIT, 60_000), (LIMIT, 40_000), length="PT10M")
    running.ven.changed.set()  # the notifier says there is something
    await asyncio.sleep(0.1)
    assert running.mw() == 60
    alarm = running.vtn.event(("ALERT_GRID_EMERGENCY", "act now"), length="PT2M")
    running.ven.changed.set()
    await asyncio.sleep(0.1)
    assert running.mw() == 0
    del running.vtn.store["events"][alarm]
    await asyncio.sleep(31)
    assert running.mw() == 60
    running.vtn.down = True
    await asyncio.sleep(580)
    assert running.mw() == 40, "the schedule that is known is followed"
    await asyncio.sleep(600)
    entry = running.inbox.entries[SOURCE]
    assert running.mw() == 20 and not entry.over(running.clock()), "then the subscription"
    assert running.refusals() == ["GET events: ConnectError nobody is there"], "said once"
    running.vtn.down = False
    del running.vtn.store["events"][limit]
    running.vtn.event((LIMIT, 70_000))
    await asyncio.sleep(31)
    assert running.mw() == 70


@pytest.mark.asyncio
async def test_polls_that_find_nothing_new_are_heard_and_are_no_news():
    running = await started()
    assert len(running.inbox.take_news()) <= 2, "the start, and the first look"
    await asyncio.sleep(600)
    assert running.inbox.take_news() == []
    assert running.inbox.entries[SOURCE].heard_s > running.clock() - 40
    running.vtn.event((SUBSCRIPTION, 20_000), length="P9999Y")
    await asyncio.sleep(600)
    (news,) = running.inbox.take_news()
    assert news.default_w == 20 * MW


@pytest.mark.asyncio
async def test_the_subscription_ends_too_and_the_default_is_reached_by_a_gradient():
    story = await started(default_mw=0, fall_pct_per_s=1)
    story.vtn.event((LIMIT, 50_000), length="PT10M")
    await asyncio.sleep(31)
    assert story.mw() == 50
    story.vtn.down = True
    await asyncio.sleep(600)
    assert 45 < story.mw() < 50
    await asyncio.sleep(60)
    assert story.mw() == 0


@pytest.mark.asyncio
async def test_a_start_that_finds_no_vtn_is_failsafe():
    story = Story(default_mw=3)
    story.vtn.down = True
    story.task = asyncio.create_task(story.ven.run())
    await asyncio.sleep(1)
    assert story.mw() == 3
    story.vtn.down = False
    story.vtn.event((LIMIT, 50_000))
    await asyncio.sleep(31)
    assert story.mw() == 50


@pytest.mark.asyncio
async def test_an_event_that_makes_no_sense_is_refused_and_moves_nothing():
    running = await started()
    running.vtn.event((LIMIT, 60_000), eventName="peak")
    await asyncio.sleep(31)
    number, event = next(iter(running.vtn.store["events"].items()))
    broken = {"intervals": [{"id": 0, "payloads": [{"type": LIMIT, "values": ["x"]}]}]}
    running.vtn.store["events"][number] = event | broken
    await asyncio.sleep(100)
    assert running.mw() == 60
    assert running.refusals() == ["event peak: IMPORT_CAPACITY_LIMIT has no number in values"]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "garbage", [b"[", b"{}", b"[1]", b"\xff" * 9, b"[" * 100_000, b" " * 5_000_000]
)
async def test_garbage_from_the_vtn_moves_nothing(garbage):
    running = await started()
    running.vtn.event((LIMIT, 60_000), length="PT5H")
    await asyncio.sleep(31)
    running.vtn.garbage = garbage
    await asyncio.sleep(300)
    assert running.mw() == 60 and len(running.refusals()) == 1
    running.vtn.garbage = b""
    await asyncio.sleep(31)
    assert running.mw() == 60 and not running.refusals()


@pytest.mark.asyncio
async def test_a_revoked_token_is_asked_for_anew():
    running = await started()
    running.vtn.tokens.clear()
    running.vtn.event((LIMIT, 60_000))
    await asyncio.sleep(61)
    assert running.mw() == 60


@pytest.mark.asyncio
async def test_a_wrong_secret_says_so():
    wire = Vtn("http://vtn" + BASE, CLIENT_ID, "wrong", transport=Vtn3().transport())
    with pytest.raises(VtnError, match=r"auth/token: 401"):
        await wire.list("events")


@pytest.mark.asyncio
async def test_only_the_program_of_the_settings():
    story = Story(program="surplus")
    other = story.vtn.put("programs", programName="other")
    ours = story.vtn.put("programs", programName="surplus")
    story.vtn.event((LIMIT, 10_000), programID=other["id"])
    story.vtn.event((LIMIT, 60_000), programID=ours["id"])
    assert await story.ven.look()
    assert story.mw() == 60
    nobody = Story(program="nobody")
    assert not await nobody.ven.look() and "no program 'nobody'" in nobody.refusals()[0]


@pytest.mark.asyncio
async def test_more_events_than_a_page():
    story = Story()
    for n in range(120):
        story.vtn.event((LIMIT, 90_000 - n * 100), length="P9999Y")
    assert await story.ven.look()
    assert story.mw() == 90 - 11.9


@pytest.mark.asyncio
async def test_reports_are_made_and_renewed_as_asked():
    running = await started()
    asked = [{"payloadType": kind} for kind in ("USAGE", "OPERATING_STATE", "VOLTAGE")]
    event = running.vtn.event((LIMIT, 60_000), reportDescriptors=asked, length="PT5H")
    running.board.told = told()
    await asyncio.sleep(60)
    (report,) = running.vtn.store["reports"].values()
    assert report["eventID"] == event and report["clientName"] == "ridge-1"
    (interval,) = report["resources"][0]["intervals"]
    values = {one["type"]: one["values"] for one in interval["payloads"]}
    assert values == {
        "USAGE": [59_000.0],
        "OPERATING_STATE": ["RUNNING_CURTAILED"],
        "DATA_QUALITY": ["OK"],
    }
    running.board.told = told(metered_age_s=60.0)
    await asyncio.sleep(15)
    (report,) = running.vtn.store["reports"].values()
    (interval,) = report["resources"][0]["intervals"]
    values = {one["type"]: one["values"] for one in interval["payloads"]}
    assert "USAGE" not in values and values["DATA_QUALITY"] == ["MISSING"]


@pytest.mark.asyncio
async def test_an_event_is_weighed_once_and_what_it_would_do_is_forecast_where_it_is_asked():
    running = await started()
    running.board.told = told()
    asked = [{"payloadType": "DEMAND", "readingType": "FORECAST"}, {"payloadType": "DEMAND"}]
    event = running.vtn.event(
        (LIMIT, 60_000), (LIMIT, 40_000), reportDescriptors=asked, length="PT10M"
    )
    await asyncio.sleep(100)
    assert len(running.board.weighed) == 1
    reports = {one["reportName"]: one for one in running.vtn.store["reports"].values()}
    assert set(reports) == {f"ridge-1 {event} DIRECT_READ", f"ridge-1 {event} FORECAST"}
    made = reports[f"ridge-1 {event} FORECAST"]
    assert [one["readingType"] for one in made["payloadDescriptors"]] == ["FORECAST"]
    first, second = made["resources"][0]["intervals"]
    assert first["payloads"] == [{"type": "DEMAND", "values": [42_000.0]}]
    assert first["intervalPeriod"]["duration"] == second["intervalPeriod"]["duration"] == "PT600S"
    await asyncio.sleep(600)
    made = next(r for r in running.vtn.store["reports"].values() if "FORECAST" in r["reportName"])
    assert len(made["resources"][0]["intervals"]) == 1, "what is over is no forecast"


# ---- being told


@pytest.mark.real_time
@pytest.mark.asyncio
async def test_a_webhook_is_subscribed_once_and_believed_only_with_its_token():
    story = Story(callback_url="http://site.example/hook")
    stale = {"clientName": "ridge-1", "objectOperations": []}
    story.vtn.put("subscriptions", **stale)
    told_at = []
    webhook = Webhook("127.0.0.1", 0, lambda: told_at.append(1))
    serving = asyncio.create_task(webhook.run())
    await story.ven._subscribe(webhook)
    (there,) = story.vtn.store["subscriptions"].values()
    (call,) = there["objectOperations"]
    assert call["callbackUrl"] == "http://site.example/hook"
    async with asyncio.timeout(10):
        while not webhook._server.started:
            await asyncio.sleep(0.01)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{webhook.port}") as vtn:
        assert (await vtn.get("/", params={"echo": "are you there"})).text == "are you there"
        assert (await vtn.post("/", content=b"x" * 100_000)).status_code == 403
        forged = {"Authorization": "Bearer " + "x" * 32}
        assert (await vtn.post("/", headers=forged)).status_code == 403
        assert not told_at
        good = {"Authorization": f"Bearer {call['bearerToken']}"}
        assert (await vtn.post("/", headers=good, json={"objectType": "EVENT"})).status_code == 204
        assert told_at == [1]
    webhook._server.should_exit = True
    await serving


@pytest.mark.real_time
@pytest.mark.asyncio
async def test_the_notifier_makes_it_look_at_once(tmp_path, until):
    broker = Broker(tmp_path)
    story = Story()
    story.vtn.mqtt_port = await broker.start()
    heard = []
    task = asyncio.create_task(
        openadr3_notify.listen(story.ven.vtn, TOPICS, lambda: heard.append(1))
    )
    try:
        await until(lambda: heard)
        async with aiomqtt.Client("127.0.0.1", story.vtn.mqtt_port) as vtn:
            await vtn.publish("vtn/events/create", b"\xff not even JSON")
            await until(lambda: len(heard) == 2)
            await vtn.publish("vtn/programs/create", b"{}")
            await vtn.publish("vtn/events/delete", b"{}")
            await until(lambda: len(heard) == 3)
    finally:
        task.cancel()
        await asyncio.wait([task])
        await broker.stop()


@pytest.mark.asyncio
async def test_a_notifier_in_the_clear_is_used_on_loopback_only():
    story = Story()
    host, port, secure, topics = await openadr3_notify._binding(story.ven.vtn, TOPICS)
    assert (host, port, secure, topics) == ("127.0.0.1", 1883, False, {"vtn/events/#"})
    story.vtn.mqtt_host = "vtn.example"
    with pytest.raises(VtnError, match="no MQTT broker over TLS"):
        await openadr3_notify._binding(story.ven.vtn, TOPICS)


# ---- foreign clients, so that the VTN is not only what our VEN believes


@pytest.fixture
def served():
    vtn = Vtn3()
    server = uvicorn.Server(uvicorn.Config(vtn.app, port=0, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    until_s = time.monotonic() + 10
    while not server.started:
        assert time.monotonic() < until_s
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    vtn.url = f"http://127.0.0.1:{port}{BASE}"
    yield vtn
    server.should_exit = True
    thread.join(10)


@pytest.mark.real_time
def test_openadr3_finds_what_the_vtn_has(served):
    import openadr3

    served.put("programs", programName="surplus")
    served.event((LIMIT, 60_000), eventName="peak", start="2026-12-01T00:00:00Z")
    with openadr3.OpenADRClient(served.url) as client:
        client.fetch_token(CLIENT_ID, SECRET)
        assert [program.program_name for program in client.programs()] == ["surplus"]
        (event,) = client.events()
        assert event.event_name == "peak"
        made = client.create_ven({"objectType": "VEN_VEN_REQUEST", "venName": "x"})
        assert made.status_code == 201
        assert [ven.ven_name for ven in client.vens()] == ["x"]


@pytest.mark.real_time
@pytest.mark.asyncio
async def test_toadr3_reads_what_our_ven_reports(served):
    import toadr3

    event = served.event((LIMIT, 60_000), reportDescriptors=[{"payloadType": "USAGE"}])
    section = Openadr3Config(url=served.url, client_id=CLIENT_ID, secret_file="-")
    board = Shown()
    board.told = told()
    wire = Vtn(served.url, CLIENT_ID, SECRET)
    ven = Openadr3(section, "ridge-1", LIMIT_W, Inbox(), board, wire)
    assert await ven.look() and await ven.report() == 1
    await wire.close()
    oauth = toadr3.OAuthConfig(
        f"{served.url}/auth/token", "client_credentials", {"scope": "read_all"}, CLIENT_ID, SECRET
    )
    client = toadr3.ToadrClient(served.url, oauth)
    try:
        assert [one.id for one in await client.get_events()] == [event]
        (report,) = await client.get_reports()
        assert report.event_id == event and report.client_name == "ridge-1"
    finally:
        await client.client_session.close()
