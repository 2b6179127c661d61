"""What the routes share: the provider, who asks, and how an error is told."""

import logging
from functools import partial
from typing import Any, Protocol, TypeVar

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.exceptions import HTTPException, NotFoundException
from litestar.openapi.datastructures import ResponseSpec

from supervisor.alarms.state import Silence
from supervisor.audit import Deed
from supervisor.live import Page, Wish
from supervisor.metrics import Seen
from supervisor.tokens import LOCAL, Caller
from supervisor.view import (
    AlarmView,
    AuditView,
    EventView,
    ExcuseOrder,
    HistoryView,
    HoldOrder,
    HoldsResult,
    HoldView,
    PlaceView,
    PreviewView,
    RigDetail,
    SignalDetail,
    SignalOrder,
    SilenceView,
    SiteView,
    ToldView,
    WhyView,
)

T = TypeVar("T")
log = logging.getLogger(__name__)

BODY_MAX = 4096  # bytes of a request, or of one message on the socket


class Provider(Protocol):
    """The supervisor, as far as people see it."""

    @property
    def alarms(self) -> "Alarms": ...
    @property
    def holding(self) -> "Held": ...
    def preview_hold(self, order: HoldOrder) -> PreviewView: ...
    def preview_signal(self, limit_w: int, for_s: float) -> PreviewView: ...
    def preview_push(self, payload: bytes) -> PreviewView | str: ...
    def unix_s(self) -> float: ...
    def site(self) -> SiteView: ...
    def told(self) -> ToldView | None: ...
    def seen(self, rigs: list[str], top: int) -> Seen: ...
    def places(self) -> list[PlaceView]: ...
    def rigs(self, wish: Wish) -> Page: ...
    def rig(self, rig: str) -> RigDetail | None: ...
    def signals(self) -> list[SignalDetail]: ...
    def events(self, limit: int) -> list[EventView]: ...
    def record(self, deed: Deed) -> None: ...
    def audit(self, limit: int, who: str) -> list[AuditView]: ...
    @property
    def past(self) -> "Before": ...
    def why(self, rig: str) -> WhyView | None: ...
    def order_signal(self, order: SignalOrder) -> str: ...
    def push_signal(self, payload: bytes) -> str: ...
    def excuse_signal(self, order: ExcuseOrder) -> str: ...
    def withdraw_signal(self, source: str) -> bool: ...


class Alarms(Protocol):
    """What is wrong, as far as people see it."""

    def views(self) -> list[AlarmView]: ...
    def silences(self) -> list[SilenceView]: ...
    def acknowledge(self, key: str, by: str) -> bool: ...
    def silence(self, wish: Silence) -> None: ...


class Held(Protocol):
    """Rigs that people hold back."""

    def views(self) -> list[HoldView]: ...
    def hold(self, order: HoldOrder) -> HoldsResult: ...
    def release(self, rigs: list[str], by: str) -> HoldsResult: ...


class Before(Protocol):
    """What was."""

    async def why(self, rig: str, at_s: float) -> WhyView | None: ...
    async def rig(self, rig: str, from_s: float, to_s: float, rolled: bool) -> HistoryView: ...
    async def site(self, from_s: float, to_s: float) -> HistoryView: ...


class Refusal(msgspec.Struct, frozen=True):
    """What every error says."""

    error: str


_REFUSALS = {
    400: "the question is none",
    401: "no token, or none that is known",
    403: "another role is needed",
    404: "there is no such thing",
    413: "too long",
    422: "it cannot be done",
    429: "too often",
    503: "another supervisor leads the site",
}
_told = {
    status: ResponseSpec(Refusal, description=text, generate_examples=False)
    for status, text in _REFUSALS.items()
}
reads = partial(get, sync_to_thread=False, responses=_told)
asks = partial(get, responses=_told)  # of what is on the disk: the handler waits
posts = partial(post, status_code=200, sync_to_thread=False, responses=_told)
deletes = partial(delete, status_code=200, sync_to_thread=False, responses=_told)


def caller_of(request: ASGIConnection[Any, Any, Any, Any]) -> Caller:
    caller: Caller = request.user
    return caller


def provider_of(state: State) -> Provider:
    """Of the site; the gate lets nobody in while there is none."""
    provider: Provider = state.desk.provider
    return provider


def name_of(caller: Caller, said: str) -> str:
    """Whose word it is: a token has its own name, this machine's people say theirs."""
    return said if caller.name == LOCAL else caller.name


def name_wrong(name: str) -> str:
    """Why nobody has this name; "" when somebody may."""
    good = 1 <= len(name) <= 32 and name.isprintable()
    return "" if good else "by is a name of 1 to 32 characters"


def known_error(request: Request[Any, Any, Any], error: HTTPException) -> Response[Any]:
    reason = error.detail
    if error.extra:
        first = error.extra[0] if isinstance(error.extra, list) else error.extra
        reason = f"{first.get('key', '')}: {first.get('message', reason)}".removeprefix(": ")
    return Response({"error": reason}, status_code=error.status_code)


def unknown_error(request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    return Response({"error": "the supervisor failed to answer; its log says why"}, status_code=500)


def there(found: T | None, rig: str) -> T:
    """What was found, or that there is none."""
    if found is None:
        raise NotFoundException(f"no rig is called {rig!r}")
    return found
