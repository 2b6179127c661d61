"""Routes: tokens made, listed and revoked."""

from litestar.datastructures import State
from litestar.exceptions import HTTPException, NotFoundException
from litestar.params import FromPath, JSONBody

from supervisor.routes.parts import deletes, posts, reads
from supervisor.tokens import TokenError
from supervisor.view import NewToken, TokenOrder, TokenView


@reads("/api/tokens")
def tokens(state: State) -> list[TokenView]:
    """All tokens, without what would let anybody in."""
    return [
        TokenView(name=token.name, role=token.role, made_s=token.made_s, until_s=token.until_s)
        for token in state.door.tokens.all()
    ]


@posts("/api/tokens")
def add_token(state: State, data: JSONBody[TokenOrder]) -> NewToken:
    """Make a token; it is shown this once."""
    try:
        return NewToken(
            name=data.name, token=state.door.tokens.add(data.name, data.role, data.days)
        )
    except TokenError as error:
        raise HTTPException(str(error), status_code=422) from None


@deletes("/api/tokens/{name:str}")
def revoke_token(state: State, name: FromPath[str]) -> dict[str, str]:
    """A token opens nothing from now on."""
    if not state.door.tokens.revoke(name):
        raise NotFoundException(f"there is no token {name!r}")
    return {"revoked": name}


HANDLERS = (tokens, add_token, revoke_token)
