"""Who gets in: the token is asked for before anything else, also before saying what exists.

A right token is never locked out by somebody else's wrong ones: those only make wrong ones
be answered without a look.  What a caller changes is recorded before the answer leaves.
"""

import time
from collections.abc import Callable
from typing import Any

import msgspec
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from supervisor.audit import RESULT_MAX, Deed, without_secrets
from supervisor.limits import Buckets, Limit
from supervisor.tokens import Caller, Tokens

ASKS = Limit(per_s=50.0, burst=200.0)  # of one token
WRITES = Limit(per_s=5.0, burst=30.0)
WRONG_TOKENS = Limit(per_s=0.2, burst=20.0)  # of one address
HARMLESS = ("GET", "HEAD", "OPTIONS")
SAID_MAX = 4096  # bytes of a request kept for the record


class Door:
    """What the gate decides by.  record: called with every deed, before it is answered."""

    def __init__(
        self,
        tokens: Tokens,
        record: Callable[[Deed], None] = lambda deed: None,
        asks: Limit = ASKS,
        writes: Limit = WRITES,
        wrong: Limit = WRONG_TOKENS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.tokens, self.record = tokens, record
        self._asks, self._writes, self._wrong = (
            Buckets(asks),
            Buckets(writes),
            Buckets(wrong),
        )
        self._clock = clock
        self.refused = {401: 0, 429: 0}  # since the start, by status

    def caller(self, authorization: bytes) -> Caller | None:
        """Whose header this is."""
        scheme, _, token = authorization.partition(b" ")
        return self.tokens.caller(token.decode("latin-1")) if scheme == b"Bearer" else None

    def wait_s(self, caller: Caller, writes: bool) -> float:
        """Seconds until this caller may ask; 0: now."""
        buckets = self._writes if writes else self._asks
        return buckets.wait_s(caller.name, self._clock())

    def wrong(self, address: str) -> float:
        """Somebody there has no token; seconds until the next try is looked at."""
        return self._wrong.wait_s(address, self._clock())


def gate(
    app: ASGIApp, door: Door, shut: Callable[[str, bool], str] = lambda path, writes: ""
) -> ASGIApp:
    """The application behind the door.  scope["user"] is the Caller.

    shut(path, writes): why this cannot be answered here, whoever asks.
    """

    async def ask(scope: Scope, receive: Receive, send: Send) -> None:
        caller = door.caller(dict(scope["headers"]).get(b"authorization", b""))
        writes = scope.get("method", "GET") not in HARMLESS
        if caller is None:
            wait_s, status = door.wrong(_address(scope)), 401
            reason = "a bearer token is needed: the one in api.token, or from surplus token add"
        else:
            wait_s, status = door.wait_s(caller, writes), 0
        if wait_s:
            status, reason = 429, f"too often: again in {wait_s:.1f} s"
        if status or caller is None:
            door.refused[status] += 1
            await _refuse(scope, send, status, reason, wait_s)
            return
        if reason := shut(scope["path"], writes):
            await _refuse(scope, send, 503, reason, 0)
            return
        scope["user"] = caller
        if not writes:
            await app(scope, receive, send)
            return
        deed = _Recorder(scope, caller, receive, send, door.record)
        await app(scope, deed.receive, deed.send)

    return ask


class _Recorder:
    """Listens to one request and its answer, and records both before the answer leaves."""

    def __init__(
        self,
        scope: Any,
        caller: Caller,
        receive: Receive,
        send: Send,
        record: Callable[[Deed], None],
    ) -> None:
        self._scope, self._caller, self._record = scope, caller, record
        self._receive, self._send = receive, send
        self._said = b""
        self._start: Message | None = None

    async def receive(self) -> Any:
        message: Any = await self._receive()
        if message["type"] == "http.request" and len(self._said) <= SAID_MAX:
            self._said += message.get("body", b"")
        return message

    async def send(self, message: Any) -> None:
        if message["type"] == "http.response.start":
            self._start = message
            return
        if self._start is not None:
            start, self._start = self._start, None
            self._record(self._deed(start, message.get("body", b"")))
            await self._send(start)
        await self._send(message)

    def _deed(self, start: Any, answer: bytes) -> Deed:
        query = self._scope["query_string"].decode("latin-1")
        path = self._scope["path"] + (f"?{query}" if query else "")
        return Deed(
            who=self._caller.name,
            role=self._caller.role,
            address=_address(self._scope),
            what=f"{self._scope['method']} {path}"[:RESULT_MAX],
            said=_plain(self._said) if len(self._said) <= SAID_MAX else "too long to keep",
            status=start["status"],
            result=_result(answer),
        )


def _plain(body: bytes) -> Any:
    """JSON as it was meant; anything else as text."""
    try:
        return msgspec.json.decode(body) if body else None
    except msgspec.MsgspecError:
        return body.decode("utf-8", "replace")[:RESULT_MAX]


def _result(answer: bytes) -> str:
    """An error's reason, or the answer without its secrets."""
    said = _plain(answer)
    if isinstance(said, dict) and set(said) == {"error"}:
        return str(said["error"])[:RESULT_MAX]
    return "" if said is None else msgspec.json.encode(without_secrets(said)).decode()[:RESULT_MAX]


def _address(scope: Any) -> str:
    return str(scope["client"][0]) if scope.get("client") else "?"


async def _refuse(scope: Any, send: Any, status: int, reason: str, wait_s: float) -> None:
    kind = "websocket.http.response" if scope["type"] == "websocket" else "http.response"
    headers = [(b"content-type", b"application/json")]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    else:
        headers.append((b"retry-after", str(int(wait_s) + 1).encode()))
    await send({"type": f"{kind}.start", "status": status, "headers": headers})
    await send({"type": f"{kind}.body", "body": msgspec.json.encode({"error": reason})})
