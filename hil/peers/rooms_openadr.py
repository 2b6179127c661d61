"""Control rooms that publish events: a VTN of OpenADR 3.1, and openleadr's of 2.0b."""

import asyncio
import logging
import sys
import time
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from typing import Any

from hil.demo import HOST
from hil.peers.rooms import LONG_S, Room
from hil.peers.served import Served
from hil.peers.vtn3 import BASE, CLIENT_ID, SECRET, Vtn3

logging.getLogger("openleadr").setLevel(logging.WARNING)  # else a line for every poll
LIMIT, SUBSCRIPTION = "IMPORT_CAPACITY_LIMIT", "IMPORT_CAPACITY_SUBSCRIPTION"


class Openadr3(Room):
    """Our VTN, published to by the foreign client openadr3; the site is called by webhook."""

    name = "openadr3"
    serves = True

    def __init__(self, site: Any, more: str = "") -> None:
        super().__init__(site, more)
        self.vtn, self._event = Vtn3(), ""
        self.vtn.url = f"http://{HOST}:{self.port}{BASE}"
        self._served = Served(self.port)
        self._publisher: Any = None

    def keys(self) -> str:
        secret = self.site.folder / "secret"
        secret.write_text(SECRET)
        secret.chmod(0o600)
        return (
            f'url = "{self.vtn.url}"\nclient_id = "{CLIENT_ID}"\nsecret_file = "secret"\n'
            f'callback_url = "http://{HOST}:{self.back_port}/"\ncallback_port = {self.back_port}'
        )

    async def come(self) -> None:
        await self._served.start(self.vtn.app)

    async def met(self) -> None:
        """It has asked to be called."""
        while not self.vtn.store["subscriptions"]:
            await asyncio.sleep(0.05)

    async def subscribe(self, mw: float) -> None:
        """What the site may import when no limit holds, and when the VTN is lost."""
        await self._publish(SUBSCRIPTION, mw, "P9999Y", "subscription")

    async def say(self, mw: float, for_s: float = LONG_S) -> None:
        before, self._event = self._event, await self._publish(LIMIT, mw, f"PT{for_s:g}S", "limit")
        if before:
            await self._delete(before)

    async def cancel(self) -> None:
        await self._delete(self._event)
        self._event = ""

    async def go(self) -> None:
        """Down; it has forgotten its limit when it comes back."""
        if await self._served.stop():
            self.vtn.store["events"].pop(self._event, None)
            self._event = ""

    async def _publish(self, kind: str, mw: float, length: str, name: str) -> str:
        body = {
            "objectType": "EVENT",
            "programID": "p",
            "eventName": name,
            "intervalPeriod": {"start": "0001-01-01", "duration": length},
            "intervals": [{"id": 0, "payloads": [{"type": kind, "values": [mw * 1000]}]}],
        }
        return str(await asyncio.to_thread(self._create, body))

    def _create(self, body: dict[str, Any]) -> Any:
        answer = self._client().create_event(body)
        answer.raise_for_status()
        return answer.json()["id"]

    async def _delete(self, event: str) -> None:
        def delete() -> None:
            self._client().delete_event(event).raise_for_status()

        await asyncio.to_thread(delete)

    def _client(self) -> Any:
        """Signed in once."""
        import openadr3

        if self._publisher is None:
            self._publisher = openadr3.OpenADRClient(self.vtn.url)
            self._publisher.fetch_token(CLIENT_ID, SECRET)
        return self._publisher


class Openadr2(Room):
    """openleadr's VTN; the site polls it every second, as it asks for."""

    name = "openadr2"
    serves = True
    poll_s = 1.0
    _server: Any = None
    _said = ""

    def keys(self) -> str:
        return f'url = "http://{HOST}:{self.port}/OpenADR2/Simple/2.0b"'

    async def come(self) -> None:
        from openleadr import OpenADRServer

        self.registered = asyncio.Event()
        self._server = OpenADRServer(
            "VTN",
            http_port=self.port,
            requested_poll_freq=timedelta(seconds=self.poll_s),
            show_fingerprint=False,
        )
        self._server.add_handler("on_create_party_registration", self._register)
        self._server.add_handler("on_register_report", lambda *_, **__: None)
        with redirect_stdout(sys.stderr):  # it greets whoever started it
            await self._server.run()

    async def met(self) -> None:
        await self.registered.wait()

    async def _register(self, info: dict[str, Any]) -> tuple[str, str]:
        self.registered.set()
        return "ven-1", "registration-1"

    async def say(self, mw: float, for_s: float = LONG_S) -> None:
        if self._said:
            await self.cancel()
        interval = {
            "dtstart": datetime.now(UTC),
            "duration": timedelta(seconds=for_s),
            "signal_payload": mw * 1000,
        }
        self._said = f"e{time.time()}"
        self._server.add_event(
            "ven-1", "LOAD_DISPATCH", "setpoint", [interval], _opted, event_id=self._said
        )

    async def cancel(self) -> None:
        self._server.cancel_event("ven-1", self._said)
        self._said = ""

    async def go(self) -> None:
        if self._server is not None:
            await self._server.stop()
        self._server, self._said = None, ""


async def _opted(ven_id: str, event_id: str, opt_type: str) -> None:
    pass
