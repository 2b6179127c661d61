"""Route: which of two supervisors leads, answered by both."""

from litestar.datastructures import State
from litestar.exceptions import NotFoundException

from supervisor.routes.parts import reads
from supervisor.view import StandbyView


@reads("/api/standby")
def standby(state: State) -> StandbyView:
    """Which of two supervisors leads, and whether the other could."""
    view: StandbyView | None = state.desk.standby()
    if view is None:
        raise NotFoundException("this site has one supervisor")
    return view


HANDLERS = (standby,)
