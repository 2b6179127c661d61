"""Routes: rigs held back by people, and what it would do; nothing here can make a rig run."""

import math

import msgspec
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException, PermissionDeniedException
from litestar.params import JSONBody

from supervisor import roles
from supervisor.routes.parts import name_of, name_wrong, posts, provider_of, reads
from supervisor.tokens import Caller
from supervisor.view import HoldOrder, HoldsResult, HoldView, PreviewView, ReleaseOrder

HOLD_S_MAX = 30 * 86_400.0
RIGS_MAX = 2000
MANY = 50  # rigs: beyond it is the site's business, and an operator's
TEXT_MAX = 200


@reads("/api/holds")
def holds(state: State) -> list[HoldView]:
    """Rigs that people hold back, until when, and why."""
    return provider_of(state).holding.views()


@posts("/api/holds")
def hold(state: State, data: JSONBody[HoldOrder], caller: NamedDependency[Caller]) -> HoldsResult:
    """Rigs sleep, run no higher, or leave the dispatch, until a time."""
    order = msgspec.structs.replace(data, by=name_of(caller, data.by))
    _may(caller, order.rigs)
    if wrong := hold_error(order):
        raise HTTPException(wrong, status_code=422)
    return provider_of(state).holding.hold(order)


@posts("/api/holds/preview")
def preview_hold(state: State, data: JSONBody[HoldOrder]) -> PreviewView:
    """What holding these would do, without doing it."""
    if wrong := hold_error(data):
        raise HTTPException(wrong, status_code=422)
    return provider_of(state).preview_hold(data)


@posts("/api/holds/release")
def release(
    state: State, data: JSONBody[ReleaseOrder], caller: NamedDependency[Caller]
) -> HoldsResult:
    """Rigs run again as their ladders say."""
    by = name_of(caller, data.by)
    _may(caller, data.rigs)
    if wrong := rigs_error(data.rigs) or name_wrong(by):
        raise HTTPException(wrong, status_code=422)
    return provider_of(state).holding.release(data.rigs, by)


def _may(caller: Caller, rigs: list[str]) -> None:
    if len(rigs) > MANY and not roles.may(caller.role, roles.OPERATOR):
        raise PermissionDeniedException(f"more than {MANY} rigs at once need an operator")


def rigs_error(rigs: list[str]) -> str:
    return "" if 1 <= len(rigs) <= RIGS_MAX else f"rigs are 1 to {RIGS_MAX} names"


def hold_error(order: HoldOrder) -> str:
    """Why this cannot be; "" when it can."""
    if not (math.isfinite(order.for_s) and 0 < order.for_s <= HOLD_S_MAX):
        return f"for_s is above 0 and at most {HOLD_S_MAX:.0f} (30 days), not {order.for_s}"
    chosen = [order.level is not None, order.watts is not None, order.maintenance]
    if sum(chosen) != 1:
        return "one of level, watts and maintenance says what is held"
    if not (0 <= (order.level or 0) <= 255 and 0 <= (order.watts or 0) <= 100_000):
        return "level is 0 to 255, watts 0 to 100000"
    if len(order.why) > TEXT_MAX:
        return f"why has at most {TEXT_MAX} characters"
    return rigs_error(order.rigs) or name_wrong(order.by)


HANDLERS = (holds, hold, preview_hold, release)
