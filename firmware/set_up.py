"""A controller that does not know who it is: its console takes settings until they are complete.

No board is opened, so nothing can be switched on.
"""

import asyncio

from firmware import settings
from firmware.console import Console
from firmware.settings import SettingsError

RESTART_MS = 500


class SetUp:
    """Who answers words on a rig that is none yet."""

    def __init__(self, path: str = settings.PATH) -> None:
        self.restarts, self._path = False, path
        self._noted: dict = {}

    def ask(self, line: str, at_rig: bool) -> str:
        word, _, rest = line.strip().partition(" ")
        try:
            if word == "set":
                return self._set(rest)
            if word == "restart":
                self.restarts = True
                return "restarting"
        except SettingsError as error:
            return f"refused: {error}"
        return "not set up; set NAME=VALUE, restart; there are " + ", ".join(sorted(settings.TABLE))

    def _set(self, rest: str) -> str:
        name, _, text = rest.partition("=")
        self._noted[name.strip()] = settings.value_of(name.strip(), text.strip())
        try:
            settings.save(self._noted, self._path)
        except SettingsError as error:
            return f"{name}: noted; not complete: {error}"
        return f"{name}: kept, settings are complete; restart"


async def set_up(console: tuple, reset) -> None:
    """Until somebody says restart, or nobody can type."""
    desk = SetUp()
    read, write = console
    typing = asyncio.create_task(Console(read, write, desk).loop())
    while not desk.restarts and not typing.done():
        await asyncio.sleep(RESTART_MS / 1000)
    typing.cancel()
    if desk.restarts:
        reset()
