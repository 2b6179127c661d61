"""A site in virtual time: its beat, and devices behind gateways, all in memory."""

import asyncio
from types import SimpleNamespace

from pymodbus.constants import ExcCodes

from supervisor.config import Config
from supervisor.envelope import Entry
from supervisor.inbox import Inbox
from supervisor.kept import Keeper
from supervisor.ledger import Ledger
from supervisor.modbus import Gateway
from supervisor.sections.site import SiteConfig
from supervisor.site import Site
from supervisor.wire import Line

SITE, KEY, UNIX_S = "tiny", bytes(range(32)), 1_800_000_000


class MemoryClient:
    """A line whose units have pymodbus's action; every request takes request_s.

    Units in hung never answer.  Writes are first kept in a memory of so many words.
    """

    def __init__(self, actions, words, request_s=0.02):
        self.actions, self.request_s, self.connected = actions, request_s, False
        self.memory = {unit: [0] * words for unit in actions}
        self.hung, self.asked = set(), []

    async def connect(self):
        self.connected = True
        return True

    def close(self):
        self.connected = False

    async def _ask(self, function, unit, address, count, written=None):
        self.asked.append((asyncio.get_running_loop().time(), unit, written))
        await (asyncio.Event().wait() if unit in self.hung else asyncio.sleep(self.request_s))
        memory = self.memory[unit]
        code = await self.actions[unit](function, 0, address, count, memory, written)
        if code is None and written is not None:
            memory[address : address + count] = written
        words = memory[address : address + count]
        return SimpleNamespace(
            registers=words,
            isError=lambda: code is not None,
            exception_code=code.value if isinstance(code, ExcCodes) else 0,
        )

    async def read_holding_registers(self, address, *, count, device_id):
        return await self._ask(3, device_id, address, count)

    async def read_input_registers(self, address, *, count, device_id):
        return await self._ask(4, device_id, address, count)

    async def write_registers(self, address, values, *, device_id):
        return await self._ask(16, device_id, address, len(values), list(values))

    async def write_register(self, address, value, *, device_id):
        return await self._ask(6, device_id, address, 1, [value])

    def gateway(self, **keys):
        clock = asyncio.get_running_loop().time
        return Gateway(Line(host="line"), clock=clock, connect=lambda _: self, **keys)


class VirtualSite:
    """Ticks once a second while it is awaited; said: every budget's (time, admit_w)."""

    def __init__(self, folder, **settings):
        self.loop = asyncio.get_running_loop()
        self.inbox, self.keeper = Inbox(), Keeper(SITE, clock=self.loop.time)
        self.ledger = Ledger(folder / "ledger.db")
        self.ledger._db.execute("PRAGMA synchronous = OFF")  # nobody is killed here
        settings = {"limit_mw": 1.0, "up_ramp_mw_per_min": 600.0} | settings
        config = Config(site=SiteConfig(name=SITE, **settings))
        self.site = Site(config, self.inbox, self.ledger, KEY, self.now_s, UNIX_S + self.now_s)
        self.publish, self.sent = self.keeper.publish(self._send), []

    @property
    def now_s(self):
        return self.loop.time()

    def _send(self, topic, payload):
        self.sent.append(topic)
        return True

    def allow(self, watts):
        self.inbox.put_signal(Entry("test", ((0.0, watts),), heard_s=UNIX_S))

    async def run(self, seconds, each=lambda: None):
        """Ticks for so long; each() after every tick."""
        for _ in range(seconds):
            self.site.tick(self.now_s, UNIX_S + self.now_s, self.publish)
            await asyncio.sleep(1.0)
            each()

    def row(self, name):
        return self.site.fleet.row_of[name]
