"""The supervisor as the command line and the screens see it: its API, asked from this machine."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
import msgspec

from supervisor.live import EVENTS, ROWS
from supervisor.view import (
    AckOrder,
    AlarmView,
    AuditView,
    EventView,
    ExcuseOrder,
    HistoryView,
    HoldOrder,
    HoldsResult,
    HoldView,
    LimitOrder,
    NewToken,
    PreviewView,
    ReleaseOrder,
    RigDetail,
    RigView,
    SignalDetail,
    SignalOrder,
    SilenceOrder,
    SilenceView,
    SiteView,
    StandbyView,
    TokenOrder,
    TokenView,
    WhyView,
)

TIMEOUT_S = 5.0
T = TypeVar("T")


class ClientError(Exception):
    """Nothing was learned from the supervisor; the text says why, for a person."""


class NoAnswerError(ClientError):
    """Nobody is there, or nobody has heard the question."""


class FollowingError(ClientError):
    """This supervisor follows another, which leads the site: how that stands."""


class RefusedError(ClientError):
    """The supervisor understood, and said no: its reason."""


class Address(msgspec.Struct, frozen=True):
    """What a running supervisor leaves in its state directory for its clients."""

    host: str
    port: int
    token: str

    @property
    def where(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class _ApiJson(msgspec.Struct, frozen=True):
    host: str
    port: int
    pid: int = 0


def read_addresses(state_dir: Path) -> list[Address]:
    """Where the API of this state directory listens, and a token for it.  Raises ClientError.

    Somebody who cannot read the state directory has a token of their own: SURPLUS_API says
    where to ask, as 127.0.0.1:8080, or both supervisors of a site with a comma between them,
    and SURPLUS_TOKEN_FILE which file the token is in.
    """
    named = os.environ.get("SURPLUS_API")
    apis = [_named(one) for one in named.split(",")] if named else [_read_api_json(state_dir)]
    own = os.environ.get("SURPLUS_TOKEN_FILE")
    token = _read_token(Path(own) if own else state_dir / "api.token")
    return [Address(api.host, api.port, token) for api in apis]


def _named(text: str) -> _ApiJson:
    host, _, port = text.strip().rpartition(":")
    if not (host and port.isdigit()):
        raise ClientError("SURPLUS_API is an address and a port, as 127.0.0.1:8080")
    return _ApiJson(host.strip("[]"), int(port))


def _read_api_json(state_dir: Path) -> _ApiJson:
    at = state_dir / "api.json"
    try:
        return msgspec.json.decode(at.read_bytes(), type=_ApiJson)
    except FileNotFoundError:
        raise ClientError(
            f"the supervisor is not running: no api.json in {state_dir}"
            " (another state directory: --state DIR, or SURPLUS_STATE)"
        ) from None
    except (OSError, msgspec.MsgspecError) as error:
        raise ClientError(f"{at} cannot be read: {error}") from None


def _read_token(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeError) as error:
        raise ClientError(f"{path} cannot be read: {error}") from None


class Client:
    """One supervisor, or whichever leads of two.  Every call raises ClientError, or its
    RefusedError or FollowingError, and nothing else."""

    def __init__(self, *addresses: Address) -> None:
        self._asked = [
            httpx.Client(
                base_url=f"http://{address.where}",
                headers={"Authorization": f"Bearer {address.token}"},
                timeout=TIMEOUT_S,
                trust_env=False,  # a proxy has no business on loopback
            )
            for address in addresses
        ]  # who answered last comes first

    @classmethod
    def from_state_dir(cls, state_dir: str | os.PathLike[str]) -> Self:
        return cls(*read_addresses(Path(state_dir)))

    def close(self) -> None:
        for http in self._asked:
            http.close()

    def standby(self) -> StandbyView:
        """Raises RefusedError where there is one supervisor."""
        return self._read("GET", "/api/standby", StandbyView)

    def site(self) -> SiteView:
        return self._read("GET", "/api/site", SiteView)

    def rigs(self, limit: int = ROWS, order: str = "sickness", text: str = "") -> list[RigView]:
        wish = {"limit": limit, "order": order, "text": text}
        return self._read("GET", "/api/rigs", list[RigView], params=wish)

    def rig(self, rig: str) -> RigDetail:
        """Raises RefusedError when there is no such rig."""
        return self._read("GET", f"/api/rigs/{quote(rig, safe='')}", RigDetail)

    def signals(self) -> list[SignalDetail]:
        return self._read("GET", "/api/signals", list[SignalDetail])

    def audit(self, limit: int = EVENTS, who: str = "") -> list[AuditView]:
        asked = {"limit": limit, "who": who}
        return self._read("GET", "/api/audit", list[AuditView], params=asked)

    def alarms(self) -> list[AlarmView]:
        return self._read("GET", "/api/alarms", list[AlarmView])

    def silences(self) -> list[SilenceView]:
        return self._read("GET", "/api/silences", list[SilenceView])

    def acknowledge(self, key: str, by: str) -> None:
        """Raises RefusedError when there is no such alarm."""
        order = msgspec.json.encode(AckOrder(key=key, by=by))
        self._ask("POST", "/api/alarms/ack", content=order)

    def silence(self, order: SilenceOrder) -> None:
        """Raises RefusedError with the reason when it cannot be."""
        self._ask("POST", "/api/silences", content=msgspec.json.encode(order))

    def history(self, rig: str, from_s: float, to_s: float, rolled: bool = False) -> HistoryView:
        """Telemetry of a rig; "" is the site's."""
        path = f"/api/rigs/{quote(rig, safe='')}/history" if rig else "/api/history"
        asked = {"from_s": from_s, "to_s": to_s} | ({"rolled": rolled} if rig else {})
        return self._read("GET", path, HistoryView, params=asked)

    def holds(self) -> list[HoldView]:
        return self._read("GET", "/api/holds", list[HoldView])

    def hold(self, order: HoldOrder) -> HoldsResult:
        """Raises RefusedError with the reason when it cannot be."""
        return self._read("POST", "/api/holds", HoldsResult, content=msgspec.json.encode(order))

    def preview_hold(self, order: HoldOrder) -> PreviewView:
        content = msgspec.json.encode(order)
        return self._read("POST", "/api/holds/preview", PreviewView, content=content)

    def release(self, order: ReleaseOrder) -> HoldsResult:
        content = msgspec.json.encode(order)
        return self._read("POST", "/api/holds/release", HoldsResult, content=content)

    def preview_signal(self, mw: float, for_s: float = 3600.0) -> PreviewView:
        content = msgspec.json.encode(LimitOrder(mw=mw, for_s=for_s))
        return self._read("POST", "/api/signal/preview", PreviewView, content=content)

    def tokens(self) -> list[TokenView]:
        return self._read("GET", "/api/tokens", list[TokenView])

    def add_token(self, order: TokenOrder) -> NewToken:
        """Raises RefusedError with the reason when there can be no such token."""
        content = msgspec.json.encode(order)
        return self._read("POST", "/api/tokens", NewToken, content=content)

    def revoke_token(self, name: str) -> None:
        """Raises RefusedError when there is no such token."""
        self._ask("DELETE", f"/api/tokens/{quote(name, safe='')}")

    def events(self, limit: int = EVENTS) -> list[EventView]:
        return self._read("GET", "/api/events", list[EventView], params={"limit": limit})

    def why(self, rig: str = "", at_s: float | None = None) -> WhyView:
        """The site's when no rig is named.  Raises RefusedError when there is no such rig."""
        path = f"/api/rigs/{quote(rig, safe='')}/why" if rig else "/api/why"
        return self._read("GET", path, WhyView, params={} if at_s is None else {"at": at_s})

    def order_signal(self, order: SignalOrder) -> None:
        """Raises RefusedError with the reason when the site does not take it."""
        self._ask("POST", "/api/signal", content=msgspec.json.encode(order))

    def excuse_signal(self, order: ExcuseOrder) -> None:
        """Raises RefusedError with the reason when that source is heard, or was never there."""
        self._ask("POST", "/api/signal/excuse", content=msgspec.json.encode(order))

    def withdraw_signal(self, source: str) -> None:
        """Raises RefusedError when that source has said nothing."""
        self._ask("DELETE", "/api/signal", params={"source": source})

    def _read(self, method: str, path: str, type_: type[T], **request: Any) -> T:
        body = self._ask(method, path, **request)
        try:
            return msgspec.json.decode(body, type=type_)
        except msgspec.MsgspecError as error:
            raise ClientError(
                f"the supervisor at {_where(self._asked[0])} speaks otherwise: {error}"
            ) from None

    def _ask(self, method: str, path: str, **request: Any) -> bytes:
        """The one that answered last, then the other: if it cannot be reached, or follows."""
        passed: list[ClientError] = []
        for http in [*self._asked]:
            try:
                answer = _answer(http, method, path, **request)
            except (FollowingError, NoAnswerError) as error:
                passed.append(error)
                continue
            self._asked.sort(key=lambda one: one is not http)
            return answer
        raise next((error for error in passed if isinstance(error, FollowingError)), passed[0])


def _answer(http: httpx.Client, method: str, path: str, **request: Any) -> bytes:
    try:
        response = http.request(method, path, **request)
    except httpx.HTTPError as error:
        cause = str(error) or type(error).__name__
        unheard = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
        # what it may have heard is not said to another
        raise (NoAnswerError if unheard or method == "GET" else ClientError)(
            f"the supervisor at {_where(http)} does not answer ({cause}): has it been stopped?"
        ) from None
    if response.status_code == 401:
        raise ClientError(
            f"the supervisor at {_where(http)} does not take the token of this state directory:"
            " another supervisor may have the port now"
        )
    if response.is_error:
        raise _refusal(response)
    return response.content


def _where(http: httpx.Client) -> str:
    return http.base_url.netloc.decode()


def reason_of(answer: bytes) -> str:
    """What the API says is wrong; "" when it gives no reason."""
    try:
        return str(msgspec.json.decode(answer)["error"])
    except (msgspec.MsgspecError, KeyError, TypeError):
        return ""


def _refusal(response: httpx.Response) -> ClientError:
    reason = reason_of(response.content) or f"it answered {response.status_code}"
    if response.status_code == 503:
        return FollowingError(reason)
    return RefusedError(reason) if response.is_client_error else ClientError(reason)


@contextmanager
def connected(state_dir: Path) -> Iterator[Client]:
    client = Client.from_state_dir(state_dir)
    try:
        yield client
    finally:
        client.close()
