"""A source that fails takes nobody with it: its words age, and it begins again.

A port that another program holds, or a mistake of ours in one protocol, may not end the
beat that all rigs live by.
"""

import asyncio
import logging
from typing import Protocol

from supervisor.inbox import Inbox

log = logging.getLogger(__name__)

AGAIN_S = 5.0


class Source(Protocol):
    """Something that runs for ever and writes into the inbox."""

    async def run(self) -> None: ...


async def run(source: Source, inbox: Inbox) -> None:
    """source.run(), as often as it fails; each new reason goes on record.  Cancel to end."""
    name, before = type(source).__name__.lower(), ""
    while True:
        try:
            return await source.run()
        except Exception as error:
            because = f"{first(error)}; it is tried again every {AGAIN_S:g} s"
            log.log(logging.DEBUG if because == before else logging.ERROR, name, exc_info=error)
            if because != before:
                inbox.refuse(name, because)
            before = because
        await asyncio.sleep(AGAIN_S)


def first(error: BaseException) -> BaseException:
    """The first error inside a group of groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
