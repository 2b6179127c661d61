"""The API's routes: the views out, people's wishes in.

Decides nothing: a provider answers, these carry.  Which role each needs: roles.py.
"""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

from litestar import Litestar
from litestar.connection import ASGIConnection
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import HTTPException, NotFoundException, PermissionDeniedException
from litestar.handlers import BaseRouteHandler
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme

from supervisor import roles
from supervisor.gate import Door
from supervisor.routes import (
    access,
    alarms,
    holds,
    metrics,
    past,
    rigs,
    signals,
    site,
    standby,
    stream,
)
from supervisor.routes.desk import Desk
from supervisor.routes.parts import BODY_MAX, caller_of, known_error, unknown_error

__all__ = ["BODY_MAX", "application"]

HANDLERS: Sequence[Any] = (
    *site.HANDLERS,
    *rigs.HANDLERS,
    *past.HANDLERS,
    *signals.HANDLERS,
    *alarms.HANDLERS,
    *holds.HANDLERS,
    *metrics.HANDLERS,
    *access.HANDLERS,
    *standby.HANDLERS,
    *stream.HANDLERS,
)


def application(desk: Desk, door: Door) -> Litestar:
    """The routes, without the gate."""
    return Litestar(
        HANDLERS,
        state=State({"desk": desk, "door": door}),
        dependencies={"caller": Provide(caller_of, sync_to_thread=False)},
        guards=[guard],
        request_max_body_size=BODY_MAX,
        exception_handlers={HTTPException: known_error, Exception: unknown_error},
        logging_config=None,
        openapi_config=OpenAPIConfig(
            title="Surplus",
            version=version("surplus"),
            path="/api/schema",
            render_plugins=[JsonRenderPlugin(path="/")],
            components=Components(
                security_schemes={"token": SecurityScheme(type="http", scheme="bearer")}
            ),
            security=[{"token": []}],
            use_handler_docstrings=True,
        ),
    )


async def guard(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """The caller's role against the table.  What is not in the table is not there."""
    template = connection.scope["path_template"].replace(":str", "")
    method = str(connection.scope.get("method", "WS"))
    needed = roles.NEEDS.get(("GET" if method == "HEAD" else method, template))
    if needed is None:
        raise NotFoundException
    caller = connection.user
    if not roles.may(caller.role, needed):
        raise PermissionDeniedException(
            f"this needs the role {needed}; {caller.name} is {caller.role}"
        )
