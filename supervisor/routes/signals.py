"""Routes: what is said to the site, and a person's own word."""

import math
from typing import Any

import msgspec
from litestar import Request
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromQuery, JSONBody

from supervisor.routes.parts import deletes, name_of, name_wrong, posts, provider_of, reads
from supervisor.sections.kinds import W_PER_MW
from supervisor.tokens import Caller
from supervisor.view import ExcuseOrder, LimitOrder, PreviewView, SignalDetail, SignalOrder

MW_MAX = 10_000.0
ORDER_S_MAX = 7 * 86_400.0


@reads("/api/signals")
def signals(state: State) -> list[SignalDetail]:
    """Every source: what it says, how well it is, what is ahead, what its silence would mean."""
    return provider_of(state).signals()


@posts("/api/signal")
def order_signal(
    state: State, data: JSONBody[SignalOrder], caller: NamedDependency[Caller]
) -> dict[str, str]:
    """A person's limit for a time."""
    order = msgspec.structs.replace(data, by=name_of(caller, data.by))
    if reason := order_error(order) or provider_of(state).order_signal(order):
        raise HTTPException(reason, status_code=422)
    return {"accepted": order.by}


@posts("/api/signal/preview")
def preview_signal(state: State, data: JSONBody[LimitOrder]) -> PreviewView:
    """What a person's limit would do, without saying it."""
    if reason := order_error(SignalOrder(mw=data.mw, for_s=data.for_s)):
        raise HTTPException(reason, status_code=422)
    return provider_of(state).preview_signal(round(data.mw * W_PER_MW), data.for_s)


@posts("/api/signal/push", sync_to_thread=None)
async def push_signal(
    state: State, request: Request[Any, Any, Any], preview: FromQuery[bool] = False
) -> dict[str, str] | PreviewView:
    """A program's limit: {"mw", "valid_until", "seq"} or {"target", "timestamp"}.

    With ?preview=1 the same is read and weighed, and nothing is said.
    """
    provider, body = provider_of(state), await request.body()
    found = provider.preview_push(body) if preview else provider.push_signal(body)
    if isinstance(found, PreviewView):
        return found
    if found:
        raise HTTPException(found, status_code=422)
    return {"accepted": "http"}


@posts("/api/signal/excuse")
def excuse_signal(
    state: State, data: JSONBody[ExcuseOrder], caller: NamedDependency[Caller]
) -> dict[str, str]:
    """The default of a source that is gone does not count for a time."""
    order = msgspec.structs.replace(data, by=name_of(caller, data.by))
    reason = time_error(order.for_s) or name_wrong(order.by)
    if reason := reason or provider_of(state).excuse_signal(order):
        raise HTTPException(reason, status_code=422)
    return {"excused": order.source}


@deletes("/api/signal")
def withdraw_signal(state: State, source: FromQuery[str] = "operator") -> dict[str, str]:
    """Take a person's limit back."""
    if not provider_of(state).withdraw_signal(source):
        raise NotFoundException(f"{source!r} has said nothing that could be withdrawn")
    return {"withdrawn": source}


def order_error(order: SignalOrder) -> str:
    """Why no site could take this order; "" when one could."""
    if not (math.isfinite(order.mw) and 0 <= order.mw <= MW_MAX):
        return f"mw is 0 to {MW_MAX:.0f}, not {order.mw}"
    return time_error(order.for_s) or name_wrong(order.by)


def time_error(for_s: float) -> str:
    if math.isfinite(for_s) and 0 < for_s <= ORDER_S_MAX:
        return ""
    return f"for_s is above 0 and at most {ORDER_S_MAX:.0f} (a week), not {for_s}"


HANDLERS = (signals, push_signal, excuse_signal, order_signal, preview_signal, withdraw_signal)
