"""openleadr's client with bounds: no answer is too long, too deep or for ever; polls are ours.

openleadr gives whatever comes to lxml with a schema, which ends the whole process on a
document that defines entities.  So each answer is read here first, by expat, which only
counts.  The package is an extra, so that it is only imported when a client is made.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from xml.parsers import expat

ANSWER_MAX = 1_000_000  # bytes; openleadr itself reads whatever comes
ANSWER_S = 20.0  # of a whole request, however slowly its answer trickles
DEEP_MAX = 40  # elements within each other; the schema has no more


class _Refused(Exception):
    pass


def wrong(xml: bytes) -> str:
    """Why a document is not given to anybody else to parse; "" when it is plain XML."""
    parser, depth = expat.ParserCreate(), 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEEP_MAX:
            raise _Refused(f"over {DEEP_MAX} elements within each other")

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1

    def doctype(*_: object) -> None:
        raise _Refused("it has a document type, which OpenADR has not")

    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.StartDoctypeDeclHandler = doctype
    try:
        parser.Parse(xml, True)
    except _Refused as error:
        return str(error)
    except (expat.ExpatError, ValueError, LookupError) as error:
        return f"no XML: {error}"
    return ""


def bounded_client(poll_s: float, refuse: Callable[[str], None], **keys: Any) -> Any:
    """An OpenADRClient.  poll_s: how often it polls; 0: as often as the VTN asks."""
    import aiohttp
    from openleadr import OpenADRClient

    class Answer(aiohttp.ClientResponse):
        async def read(self) -> bytes:
            whole = b""
            async for part in self.content.iter_any():
                whole += part
                if len(whole) > ANSWER_MAX:
                    self._deny(f"over {ANSWER_MAX} bytes")
            if found := wrong(whole) if whole else "":
                self._deny(found)
            self._body = whole
            return whole

        def _deny(self, why: str) -> None:
            self.close()
            refuse(f"the VTN's answer: {why}")
            raise aiohttp.ClientPayloadError(why)

    class Client(OpenADRClient):  # type: ignore[misc]
        async def _ensure_client_session(self) -> None:
            await super()._ensure_client_session()
            self.client_session._response_class = Answer

        async def _perform_request(self, service: str, message: str) -> Any:
            try:
                async with asyncio.timeout(ANSWER_S):
                    return await super()._perform_request(service, message) or (None, {})
            except TimeoutError:
                refuse(f"the VTN's answer: not whole after {ANSWER_S:g} s")
                return None, {}

        async def create_party_registration(self, *args: Any, **more: Any) -> Any:
            answer = await super().create_party_registration(*args, **more)
            if poll_s:
                self.poll_frequency = timedelta(seconds=poll_s)
            return answer

    return Client(**keys)
