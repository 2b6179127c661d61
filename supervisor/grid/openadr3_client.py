"""HTTP to an OpenADR 3.1 VTN: a token, pages of objects, and objects put there.

Knows the paths and nothing of what the objects mean.  Every answer is bounded in size and
in time; whatever goes wrong is a VtnError that names the request.
"""

import time
from collections.abc import Callable
from typing import Any

import httpx
import msgspec

TIMEOUT_S = 10.0
ANSWER_MAX = 4_000_000  # bytes of one answer, or of all pages of a list
PAGE, PAGES_MAX = 50, 40
EARLY_S = 30.0  # a token is renewed so long before its end
SCOPES = "read_targets read_ven_objects write_reports write_subscriptions write_vens"


class VtnError(Exception):
    """The VTN did not do what was asked of it; the text says what was asked, and its answer."""


class Token(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: float = 3600.0


class Vtn:
    """url: with the version's base path.  Raises VtnError from every call."""

    def __init__(
        self,
        url: str,
        client_id: str,
        secret: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._id, self._secret, self._clock = client_id, secret, clock
        self._token, self._token_until_s = "", -1.0
        self._http = httpx.AsyncClient(
            base_url=url.rstrip("/") + "/", timeout=TIMEOUT_S, transport=transport
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def list(self, path: str, **params: str) -> bytes:
        """All pages of a list, joined to one JSON array."""
        found: list[msgspec.Raw] = []
        size = 0
        for page in range(PAGES_MAX):
            answer = await self._ask("GET", path, params={**params, **_page(page)})
            try:
                part = msgspec.json.decode(answer, type=list[msgspec.Raw])
            except (msgspec.DecodeError, RecursionError) as error:
                raise VtnError(f"GET {path}: the answer is no list: {error}") from None
            found += part
            size += len(answer)
            if size > ANSWER_MAX:
                raise VtnError(f"GET {path}: over {ANSWER_MAX} bytes on its pages")
            if len(part) < PAGE:
                return msgspec.json.encode(found)
        raise VtnError(f"GET {path}: more than {PAGES_MAX * PAGE} objects")

    async def get(self, path: str) -> bytes:
        return await self._ask("GET", path)

    async def send(self, method: str, path: str, body: object) -> str:
        """POST or PUT an object.  The id it has there."""
        answer = await self._ask(method, path, content=msgspec.json.encode(body))
        try:
            return str(msgspec.json.decode(answer)["id"])
        except (msgspec.DecodeError, RecursionError, TypeError, KeyError):
            raise VtnError(f"{method} {path}: the answer is no object with an id") from None

    async def delete(self, path: str) -> None:
        await self._ask("DELETE", path)

    async def _ask(self, method: str, path: str, **more: Any) -> bytes:
        if self._clock() >= self._token_until_s:
            await self._sign_in()
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        try:
            return await self._request(method, path, headers=headers, **more)
        except VtnError as error:
            if "401" in str(error):
                self._token_until_s = -1.0  # revoked; the next request signs in anew
            raise

    async def _sign_in(self) -> None:
        """Client credentials, where the VTN says its tokens come from."""
        server = await self._request("GET", "auth/server")
        try:
            url = msgspec.json.decode(server)["tokenURL"]
            form = {
                "grant_type": "client_credentials",
                "client_id": self._id,
                "client_secret": self._secret,
                "scope": SCOPES,
            }
            answer = await self._request("POST", str(url), data=form)
            token = msgspec.json.decode(answer, type=Token, strict=False)
        except (msgspec.DecodeError, RecursionError, TypeError, KeyError):
            raise VtnError("auth/server: no token to be had from its answer") from None
        self._token = token.access_token
        self._token_until_s = self._clock() + max(1.0, token.expires_in - EARLY_S)

    async def _request(self, method: str, path: str, **more: Any) -> bytes:
        try:
            async with self._http.stream(method, path.removeprefix("/"), **more) as answer:
                body = b""
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > ANSWER_MAX:
                        raise VtnError(f"{method} {path}: over {ANSWER_MAX} bytes of answer")
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise VtnError(f"{method} {path}: {type(error).__name__} {error}".rstrip()) from None
        if answer.status_code >= 300:
            raise VtnError(f"{method} {path}: {answer.status_code} {body[:200]!r}")
        return body


def _page(number: int) -> dict[str, str]:
    return {"skip": str(number * PAGE), "limit": str(PAGE)}
