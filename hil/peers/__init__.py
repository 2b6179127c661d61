"""The other side of the grid's protocols: utilities and masters that a site answers to.

For tests and `surplus bench signals`; none of them is part of a site.  The masters are
programs of their own, on implementations that the site's side is not built on where there
is one: a line of JSON in, a line out.
"""

import asyncio
import json
import sys
from pathlib import Path
from typing import Any


class Master:
    """A master program, started and asked."""

    def __init__(self, name: str, port: int) -> None:
        """name: of a program beside this file."""
        self._words = (sys.executable, str(Path(__file__).with_name(f"{name}.py")), str(port))
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        pipe = asyncio.subprocess.PIPE
        self.process = await asyncio.create_subprocess_exec(*self._words, stdin=pipe, stdout=pipe)

    async def ask(self, **order: Any) -> Any:
        process = self.process
        assert process is not None and process.stdin is not None and process.stdout is not None
        process.stdin.write(json.dumps(order).encode() + b"\n")
        return json.loads(await process.stdout.readline())

    def kill(self) -> None:
        if self.process is not None and self.process.returncode is None:
            self.process.kill()

    async def stop(self) -> None:
        self.kill()
        if self.process is not None:
            await self.process.wait()
