"""A board of the firmware that exists only in a test: what firmware/board.py would make."""

from chain import Chain
from exchange import Pin

from firmware.boards import s21pro
from firmware.drivers import SensorError, SupplyError
from firmware.drivers.hashboard import Hashboard, Switch


class Supply:
    def __init__(self, log):
        self.log = log
        self.deaf = False
        self.mv, self.watts, self.word = 0, 20, 0
        self.cleared = 0
        self.slow = 0  # so often it has not yet taken what it was told

    def start(self, mv):
        self._hear("start")
        self.set_mv(mv)

    def clear_faults(self):
        self._hear("clear")
        self.cleared += 1

    def set_mv(self, mv):
        self._hear("mv")
        if self.slow:
            self.slow -= 1
            return False
        self.mv = mv
        self.log.append(("mv", mv))
        return True

    async def read(self):
        self._hear("status")
        return self.word, self.mv, self.watts

    def _hear(self, what):
        if self.deaf:
            raise SupplyError(f"{what}: no answer")


class Sensor:
    def __init__(self):
        self.dc = 300

    def read_dc(self):
        if self.dc is None:
            raise SensorError("gone")
        return self.dc


class Fans:
    duty_pm = 0

    def __init__(self):
        self.rpms = [5950] * 4

    def set_duty(self, duty_pm):
        self.duty_pm = duty_pm

    def settled_pm(self):
        return 1000, 1000

    def rpm(self):
        return self.rpms


class Facts:
    """s21pro with small chains, so that a start takes half a second."""

    DOMAINS, CHIPS_PER_DOMAIN = 2, 2

    def __init__(self):
        for name in dir(s21pro):
            if name.isupper() and not hasattr(Facts, name):
                setattr(self, name, getattr(s21pro, name))


class Clocks(Hashboard):
    """A hash board that also writes its clock into the log."""

    log = None

    def set_clock(self, khz, word):
        super().set_clock(khz, word)
        self.log.append(("khz", khz) if not self.number else ("khz of another", khz))


class TestBoard:
    __test__ = False  # pytest: this is no test

    def __init__(self):
        self.log = []  # what happened, in order
        self.facts = Facts()
        self.chains = [Chain(4) for _ in range(3)]
        self.enables = [Pin() for _ in range(3)]
        self.hashboards = [
            Clocks(n, self.chains[n], Switch(self.enables[n]), Pin(), self.facts) for n in range(3)
        ]
        for hashboard in self.hashboards:
            hashboard.log = self.log
        self.supply = Supply(self.log)
        self.fans = Fans()
        self.sensors = {name: Sensor() for name, _, _, _ in self.facts.SENSORS}
        self.powered = False
        self.fed = 0

    def hash_power(self, on):
        if on != self.powered:
            self.log.append(("power", on))
        self.powered = on
        for chain in self.chains:
            chain.reset()

    lit = None
    button = False

    def light(self, colour):
        self.lit = colour

    def pressed(self):
        return self.button

    hold = False

    def held(self):
        return self.hold

    def keep_held(self, held):
        self.hold = held

    resets = 0

    def reset(self):
        self.resets += 1

    def reset_cause(self):
        return "power on"

    kept = 0

    def restarts(self):
        return self.kept

    def keep_restarts(self, count):
        self.kept = count

    def feed(self):
        self.fed += 1
