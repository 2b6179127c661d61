"""openleadr's client with bounds: no answer is too long or takes for ever, and polls are ours.

The package is an extra, so that it is only imported when a client is made.
"""

import asyncio
from datetime import timedelta
from typing import Any

ANSWER_MAX = 1_000_000  # bytes; openleadr itself reads whatever comes
ANSWER_S = 20.0  # of a whole request, however slowly its answer trickles


def bounded_client(poll_s: float, **keys: Any) -> Any:
    """An OpenADRClient.  poll_s: how often it polls; 0: as often as the VTN asks."""
    import aiohttp
    from openleadr import OpenADRClient

    class Answer(aiohttp.ClientResponse):
        async def read(self) -> bytes:
            whole = b""
            async for part in self.content.iter_any():
                whole += part
                if len(whole) > ANSWER_MAX:
                    self.close()
                    raise aiohttp.ClientPayloadError(f"over {ANSWER_MAX} bytes of answer")
            self._body = whole
            return whole

    class Client(OpenADRClient):  # type: ignore[misc]
        async def _ensure_client_session(self) -> None:
            await super()._ensure_client_session()
            self.client_session._response_class = Answer

        async def _perform_request(self, service: str, message: str) -> Any:
            try:
                async with asyncio.timeout(ANSWER_S):
                    return await super()._perform_request(service, message) or (None, {})
            except TimeoutError:
                return None, {}

        async def create_party_registration(self, *args: Any, **more: Any) -> Any:
            answer = await super().create_party_registration(*args, **more)
            if poll_s:
                self.poll_frequency = timedelta(seconds=poll_s)
            return answer

    return Client(**keys)
