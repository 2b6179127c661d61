"""Being told by a VTN that something changed: its MQTT notifier, or a webhook of ours.

What is told is not believed, only taken as a reason to look: so a forged or late
notification costs one look at the VTN and changes nothing.
"""

import asyncio
import hmac
import logging
import random
import secrets
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qs, urlparse

import aiomqtt
import msgspec
import uvicorn

from supervisor.grid.openadr3_client import Vtn, VtnError

log = logging.getLogger(__name__)
PAUSE_S = (1.0, 60.0)
SECURE = ("mqtts", "ssl")
Told = Callable[[], None]


class Mqtt(msgspec.Struct, frozen=True):
    """A VTN's MQTT binding, as far as it is used."""

    URIS: list[str]


class Notifiers(msgspec.Struct, frozen=True):
    MQTT: Mqtt | None = None


class Topics(msgspec.Struct, frozen=True):
    topics: dict[str, str]


async def listen(vtn: Vtn, path: str, told: Told) -> None:
    """The notifier's topics below a path, for ever; each message calls told().

    path: such as notifiers/mqtt/topics/vens/7/events.  A broker in the clear is used on
    loopback only.
    """
    pause_s = PAUSE_S[0]
    while True:
        try:
            host, port, secure, topics = await _binding(vtn, path)
            tls = aiomqtt.TLSParameters() if secure else None
            async with aiomqtt.Client(host, port, tls_params=tls) as client:
                for topic in topics:
                    await client.subscribe(topic)
                told()  # what came while nobody listened
                pause_s = PAUSE_S[0]
                async for _ in client.messages:
                    told()
        except (VtnError, aiomqtt.MqttError, OSError) as error:
            log.warning("the VTN's notifier: %s", error)
        await asyncio.sleep(random.uniform(0, pause_s))
        pause_s = min(PAUSE_S[1], 2 * pause_s)


async def _binding(vtn: Vtn, path: str) -> tuple[str, int, bool, set[str]]:
    try:
        found = msgspec.json.decode(await vtn.get("notifiers"), type=Notifiers)
        topics = msgspec.json.decode(await vtn.get(path), type=Topics).topics
    except (msgspec.DecodeError, RecursionError) as error:
        raise VtnError(f"notifiers: {error}") from None
    for uri in found.MQTT.URIS if found.MQTT else ():
        where = urlparse(uri)
        secure = where.scheme in SECURE
        if where.hostname and (secure or where.hostname in ("127.0.0.1", "::1", "localhost")):
            port = where.port or (8883 if secure else 1883)
            return where.hostname, port, secure, set(topics.values())
    raise VtnError("notifiers: no MQTT broker over TLS among them")


class Webhook:
    """A listener for a VTN's callbacks; only one that shows our bearer token counts."""

    def __init__(self, host: str, port: int, told: Told) -> None:
        self.token = secrets.token_urlsafe(24)
        self._told = told
        config = uvicorn.Config(
            self._answer,
            host,
            port,
            interface="asgi3",
            log_level="error",
            lifespan="off",
            limit_concurrency=8,
        )
        config.lifespan = "off"
        self._server = uvicorn.Server(config)

    async def run(self) -> None:
        await self._server.serve()

    @property
    def port(self) -> int:
        """Once it is up."""
        return int(self._server.servers[0].sockets[0].getsockname()[1])

    def subscription(self, ven: str, url: str) -> dict[str, Any]:
        """What is put at the VTN, so that it calls."""
        operations = ["CREATE", "UPDATE", "DELETE"]
        call = {"objects": ["EVENT"], "operations": operations, "callbackUrl": url}
        return {"clientName": ven, "objectOperations": [call | {"bearerToken": self.token}]}

    async def _answer(
        self,
        scope: dict[str, Any],
        receive: Callable[[], Awaitable[Any]],
        send: Callable[[dict[str, Any]], Awaitable[None]],
    ) -> None:
        """The body is never read: that there is one is all that counts."""
        headers = dict(scope.get("headers", ()))
        shown = headers.get(b"authorization", b"").removeprefix(b"Bearer ")
        body, status = b"", 403
        if scope["method"] == "GET":  # the VTN tries whether we are there, see echo in the guide
            echo = parse_qs(scope.get("query_string", b"")[:512]).get(b"echo", [b""])[0]
            body, status = echo, 200
        elif hmac.compare_digest(shown, self.token.encode()):
            self._told()
            status = 204
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})
