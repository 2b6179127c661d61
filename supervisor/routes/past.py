"""Routes: why, now and then; telemetry of a rig and of the site."""

from litestar.datastructures import State
from litestar.exceptions import ClientException
from litestar.params import FromPath, FromQuery

from supervisor.routes.parts import asks, provider_of, there
from supervisor.view import HistoryView, WhyView

AT_MAX = 1e11
SPAN_S_MAX = 31 * 86_400.0


@asks("/api/rigs/{rig:str}/why")
async def why(state: State, rig: FromPath[str], at: FromQuery[float | None] = None) -> WhyView:
    """The chain of reasons from the signal to one rig; `at` Unix seconds of a past time."""
    return there(await _why(state, rig, at), rig)


@asks("/api/why")
async def why_site(state: State, at: FromQuery[float | None] = None) -> WhyView:
    """The chain of reasons for the whole site; `at` Unix seconds of a past time."""
    return there(await _why(state, "", at), "")


async def _why(state: State, rig: str, at_s: float | None) -> WhyView | None:
    if at_s is None:
        return provider_of(state).why(rig)
    if not 0 <= at_s <= AT_MAX:
        raise ClientException("at is Unix seconds")
    return await provider_of(state).past.why(rig, at_s)


@asks("/api/rigs/{rig:str}/history")
async def history(
    state: State,
    rig: FromPath[str],
    from_s: FromQuery[float],
    to_s: FromQuery[float],
    rolled: FromQuery[bool] = False,
) -> HistoryView:
    """Samples of one rig by column; `rolled`: ten minutes a row, kept much longer."""
    _check(from_s, to_s)
    return await provider_of(state).past.rig(rig, from_s, to_s, rolled)


@asks("/api/history")
async def history_site(
    state: State, from_s: FromQuery[float], to_s: FromQuery[float]
) -> HistoryView:
    """The site second by second, by column."""
    _check(from_s, to_s)
    return await provider_of(state).past.site(from_s, to_s)


def _check(from_s: float, to_s: float) -> None:
    if not 0 <= from_s < to_s <= AT_MAX:
        raise ClientException("from_s and to_s are Unix seconds, the first before the second")
    if to_s - from_s > SPAN_S_MAX:
        raise ClientException("at most 31 days at once")


HANDLERS = (why, why_site, history, history_site)
