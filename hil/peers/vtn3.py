"""A small OpenADR 3.1 VTN: objects in memory behind the specification's paths.

Answers our VEN without sockets (httpx calls it), or foreign clients through uvicorn; who has
subscribed is called when one of them changes an event.
"""

import asyncio
import itertools
import secrets
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import httpx
import msgspec
from litestar import Litestar, Request, Response, route
from litestar.exceptions import NotAuthorizedException, NotFoundException
from litestar.params import FromPath

TYPES = {
    "programs": "PROGRAM",
    "events": "EVENT",
    "reports": "REPORT",
    "subscriptions": "SUBSCRIPTION",
    "vens": "VEN",
    "resources": "RESOURCE",
}
CLIENT_ID, SECRET = "site", "a secret"
BASE = "/openadr3/3.1.0"


class Vtn3:
    """store: objects by kind and id.  down: nobody is there.  garbage: what is answered instead."""

    def __init__(self) -> None:
        self.store: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in TYPES}
        self.tokens: set[str] = set()
        self.url = f"http://vtn{BASE}"
        self.down, self.garbage, self.asked = False, b"", 0
        self.mqtt_host, self.mqtt_port = "127.0.0.1", 1883
        self._ids = itertools.count(1)
        self._calls: set[asyncio.Task[int]] = set()
        self.app = Litestar([self._handler()], logging_config=None, openapi_config=None)

    def transport(self) -> httpx.AsyncBaseTransport:
        app: Any = self.app
        inner, vtn = httpx.ASGITransport(app), self

        class Wire(httpx.AsyncBaseTransport):
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                if vtn.down:
                    raise httpx.ConnectError("nobody is there", request=request)
                return await inner.handle_async_request(request)

        return Wire()

    def put(self, kind: str, **body: Any) -> dict[str, Any]:
        """An object as the utility makes it."""
        now = datetime.now(UTC).isoformat()
        number = str(next(self._ids))
        known = {"id": number, "createdDateTime": now, "modificationDateTime": now}
        made = known | {"objectType": TYPES[kind], "clientID": CLIENT_ID} | body
        made["objectType"] = TYPES[kind]
        self.store[kind][number] = made
        return made

    def event(self, *payloads: tuple[str, Any], start: str = "0001-01-01", **more: Any) -> str:
        """An event with one interval for each (type, value).  Its id."""
        period = {"start": start, "duration": more.pop("length", "PT15M")}
        intervals = [
            {"id": n, "payloads": [{"type": kind, "values": [value]}]}
            for n, (kind, value) in enumerate(payloads)
        ]
        body = {"programID": "p", "intervalPeriod": period, "intervals": intervals} | more
        return str(self.put("events", **body)["id"])

    async def notify(self) -> int:
        """Call everybody who subscribed; how many answered well."""
        answered = 0
        async with httpx.AsyncClient() as http:
            for subscription in self.store["subscriptions"].values():
                for call in subscription["objectOperations"]:
                    shown = {"Authorization": f"Bearer {call['bearerToken']}"}
                    with suppress(httpx.HTTPError):
                        answer = await http.post(call["callbackUrl"], headers=shown, json={})
                        answered += answer.is_success
        return answered

    def _handler(self) -> Any:
        @route(["/{rest:path}"], http_method=["GET", "POST", "PUT", "DELETE"])
        async def handle(rest: FromPath[str], request: Request[Any, Any, Any]) -> Response[bytes]:
            self.asked += 1
            parts = rest.removeprefix(BASE).strip("/").split("/")
            if self.garbage:
                return Response(self.garbage, media_type="application/json", status_code=200)
            code, body = await self._answer(parts, request)
            if parts[0] == "events" and request.method != "GET" and self.store["subscriptions"]:
                self._calls.add(call := asyncio.create_task(self.notify()))
                call.add_done_callback(self._calls.discard)
            return Response(
                msgspec.json.encode(body), media_type="application/json", status_code=code
            )

        return handle

    async def _answer(self, parts: list[str], request: Request[Any, Any, Any]) -> tuple[int, Any]:
        if parts == ["auth", "server"]:
            return 200, {"tokenURL": f"{self.url}/auth/token"}
        if parts == ["auth", "token"]:
            return 200, await self._token(request)
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            raise NotAuthorizedException("no such token")
        if parts == ["notifiers"]:
            where = {"URIS": [f"mqtt://{self.mqtt_host}:{self.mqtt_port}"], "serialization": "JSON"}
            return 200, {
                "WEBHOOK": True,
                "MQTT": where | {"authentication": {"method": "ANONYMOUS"}},
            }
        if parts[0] == "notifiers":
            return 200, {"topics": {"ALL": "vtn/" + "/".join(parts[3:]) + "/#"}}
        if parts[0] not in TYPES:
            raise NotFoundException(parts[0])
        return await self._object(parts[0], parts[1:], request)

    async def _token(self, request: Request[Any, Any, Any]) -> dict[str, Any]:
        form = await request.form()
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT_ID, SECRET):
            raise NotAuthorizedException("invalid_client")
        token = secrets.token_hex(8)
        self.tokens.add(token)
        return {"access_token": token, "token_type": "Bearer", "expires_in": 3600}

    async def _object(
        self, kind: str, at: list[str], request: Request[Any, Any, Any]
    ) -> tuple[int, Any]:
        objects = self.store[kind]
        if not at and request.method == "GET":
            found = [one for one in objects.values() if _fits(one, dict(request.query_params))]
            skip, limit = (
                int(request.query_params.get(k, d)) for k, d in (("skip", 0), ("limit", 50))
            )
            return 200, found[skip : skip + limit]
        if not at:
            return 201, self.put(kind, **await request.json())
        if at[0] not in objects:
            raise NotFoundException(at[0])
        if request.method == "PUT":
            objects[at[0]] |= await request.json()
        if request.method == "DELETE":
            return 200, objects.pop(at[0])
        return 200, objects[at[0]]


def _fits(one: dict[str, Any], params: dict[str, Any]) -> bool:
    filters = {
        "programID",
        "venName",
        "venID",
        "resourceName",
        "eventID",
        "clientName",
    } & params.keys()
    return all(one.get(name) == params[name] for name in filters)
