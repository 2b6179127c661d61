"""Route: the site for Prometheus."""

from litestar import Response
from litestar.datastructures import State
from litestar.exceptions import ClientException
from litestar.params import FromQuery

from supervisor.metrics import TOP, TOP_MAX, text
from supervisor.routes.parts import provider_of, reads

RIGS_MAX = 100


@reads("/metrics", media_type="text/plain")
def metrics(
    state: State, rig: FromQuery[list[str] | None] = None, top: FromQuery[int] = TOP
) -> Response[bytes]:
    """Metrics; `top` of the sickest rigs, or those named by `rig`, as often as wanted."""
    if not 0 <= top <= TOP_MAX:
        raise ClientException(f"top is 0 to {TOP_MAX}, not {top}")
    if len(rig or []) > RIGS_MAX:
        raise ClientException(f"at most {RIGS_MAX} rigs by name")
    provider = provider_of(state)
    seen = provider.seen(rig or [], top)
    totals = {"requests_refused": {str(k): n for k, n in state.door.refused.items()}}
    return Response(
        text(seen._replace(totals=seen.totals | totals)),
        media_type="text/plain; version=0.0.4; charset=utf-8",
    )


HANDLERS = (metrics,)
