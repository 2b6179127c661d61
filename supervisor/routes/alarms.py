"""Routes: what is wrong, who has seen it, and what nobody is told of for a while."""

import math

from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import JSONBody

from supervisor.alarms.rules import BY_NAME
from supervisor.alarms.state import Silence
from supervisor.routes.parts import name_of, name_wrong, posts, provider_of, reads
from supervisor.tokens import Caller
from supervisor.view import AckOrder, AlarmView, SilenceOrder, SilenceView

SILENCE_S_MAX = 30 * 86_400.0
TEXT_MAX = 200


@reads("/api/alarms")
def alarms(state: State) -> list[AlarmView]:
    """What is wrong now, the worst first: what it means, what to check, which tool to bring."""
    return provider_of(state).alarms.views()


@posts("/api/alarms/ack")
def acknowledge(
    state: State, data: JSONBody[AckOrder], caller: NamedDependency[Caller]
) -> dict[str, str]:
    """Somebody has seen an alarm and sees to it."""
    by = name_of(caller, data.by)
    if wrong := name_wrong(by):
        raise HTTPException(wrong, status_code=422)
    if not provider_of(state).alarms.acknowledge(data.key, by):
        raise NotFoundException(f"there is no alarm {data.key!r}")
    return {"acknowledged": data.key, "by": by}


@reads("/api/silences")
def silences(state: State) -> list[SilenceView]:
    """What nobody is told of, and until when."""
    return provider_of(state).alarms.silences()


@posts("/api/silences")
def silence(
    state: State, data: JSONBody[SilenceOrder], caller: NamedDependency[Caller]
) -> dict[str, str]:
    """Nobody is told of a rule, or of a place and all in it, for a time; 0 ends it."""
    by = name_of(caller, data.by)
    if wrong := silence_error(data) or name_wrong(by):
        raise HTTPException(wrong, status_code=422)
    alarms, now_s = provider_of(state).alarms, provider_of(state).unix_s()
    wish = Silence(
        rule=data.rule, subject=data.subject, until_s=now_s + data.for_s, by=by, why=data.why
    )
    alarms.silence(wish)
    return {"silenced" if data.for_s else "ended": wish.key}


def silence_error(order: SilenceOrder) -> str:
    """Why this cannot be; "" when it can."""
    if not (math.isfinite(order.for_s) and 0 <= order.for_s <= SILENCE_S_MAX):
        return f"for_s is 0 to {SILENCE_S_MAX:.0f} (30 days), not {order.for_s}"
    if order.rule and order.rule not in BY_NAME:
        return f"no rule is called {order.rule!r}, there are: {', '.join(BY_NAME)}"
    if not (order.rule or order.subject):
        return "a rule, a subject or both are needed: nobody silences everything"
    if len(order.subject) > TEXT_MAX or len(order.why) > TEXT_MAX:
        return f"subject and why have at most {TEXT_MAX} characters"
    return ""


HANDLERS = (alarms, acknowledge, silences, silence)
