"""The stage of rig stories: the real firmware on the bench, in virtual time.

A story begins with a rig that has booted, has been joined and sleeps.
"""

from hil.bench import Bench
from hil.peer import UNIX_S
from hil.rig import MAIN
from hil.story import Story
from hil.story_acts import Arg
from hil.story_tables import DARK, LIGHTS
from hil.story_words import Value
from protocols import mac, messages, topics

NAME = "rig"
LOOK_S = 0.1
BOOT_S = 20.0
CAUSES = {1: "power on", 2: "reset pin", 3: "watchdog", 5: "software"}
NOISE_EVERY_S, NOISE_BYTES = 0.02, 40
HIGH_W = 1_000_000  # a position far beyond any ladder's end
NEVER_S = 1e6
WRONG_S = 100_000_000.0  # three years
# main.py of a flash that is written to at its next start, and of one that was badly updated
SAVING = f"from firmware import settings\nsettings.save({{'state_ms': 20000}})\n{MAIN}"
BROKEN = "raise RuntimeError('half a firmware')\n"


class RigStage:
    """The Stage of hil/story_play.py for `on = "rig"`."""

    def __init__(self, story: Story, seed: int, speed: str = "fast") -> None:
        self.bench = Bench(seed=seed, speed=1.0 if speed == "real" else None)
        self.rig = self.bench.rig(
            NAME,
            board=story.rig.board,
            ambient_c=float(story.rig.ambient_c),
            changed=story.rig.settings,
        )
        self.site, self.broker = self.bench.site, self.bench.broker
        self.site.lease_s = story.rig.lease_s
        self._heard = self.site.heard(NAME)
        self._events: list[tuple[str, str]] = []  # heard and not told yet
        self._known: set[tuple[int, object]] = set()  # (start, number): they are repeated
        self.broker.subscribe(topics.rig(self.site.name, NAME, "event"), self._hear_event)
        self.bench.run_until(lambda: self._heard.joined, BOOT_S, "joined")
        self._begun_s = self.bench.now_s

    @property
    def now_s(self) -> float:
        return round(self.bench.now_s - self._begun_s, 6)

    def run(self) -> None:
        self.bench.run(LOOK_S)

    def do(self, call: str, args: tuple[Arg, ...]) -> None:
        getattr(self, call)(*args)

    def events(self) -> list[tuple[str, str]]:
        new, self._events = self._events, []
        return new

    def _hear_event(self, _topic: str, payload: bytes) -> None:
        event = messages.decode("event", payload)
        if (key := (len(self.rig.resets), event["event"])) not in self._known:
            self._known.add(key)
            self._events.append((str(event["code"]), str(event["text"])))

    def log(self) -> str:
        return self.bench.timeline(60)

    def close(self) -> None:
        self.bench.close()

    # ---- what is seen

    def look(self) -> dict[str, Value]:
        rig, plant, wiring = self.rig, self.rig.plant, self.rig.wiring
        boards = range(plant.model.boards)
        return {
            "board_w": rig.board_w,
            "wall_w": rig.power_w,
            "aim_w": self._aim_w(),
            "hash_ghs": rig.hash_ghs,
            "rail_v": plant.supply.volts,
            "hash_power": "on" if self._hash_power() else "off",
            "light": self._light(),
            "fan_rpm": min(fan.rpm for fan in wiring.fans),
            "fan_pm": round(wiring.fan_duty * 1000),
            "outlet_c": max(plant.outlet_c(board) for board in boards),
            "inlet_c": max(plant.inlet_c(board) for board in boards),
            "chip_c": max(plant.chip_c),
            "alive": "yes" if rig.alive else "no",
            "starts": len(rig.resets),
            "cause": CAUSES[rig.resets[-1]],
            "way": rig.network,
            "clock_off_s": abs(rig.unix_s - UNIX_S - self.bench.now_s),
            **self._said(),
        }

    def _hash_power(self) -> bool:
        """The pin, as the supply sees it; one that floats is pulled to off."""
        circuit = self.rig.wiring.circuit
        off = 1 - circuit.hash_power_on
        return self.rig.wiring.pins.get(circuit.hash_power_pin, off) != off

    def _light(self) -> str:
        red, green, blue = (int(part > 0) for part in self.rig.wiring.led)
        return LIGHTS.get((red, green, blue), DARK)

    def _said(self) -> dict[str, Value]:
        heard, state = self._heard, self._heard.state
        return {
            "state": state.get("state", "unheard"),
            "level": state.get("level", 0),
            "cap_level": state.get("cap_level", 0),
            "said_w": state.get("power_w", 0),
            "said_ghs": state.get("hash_ghs", 0),
            "said_age_s": self.bench.now_s - heard.state_s if state else NEVER_S,
            "link": heard.links[-1] if heard.links else "unheard",
            "joins": len(heard.nonces),
            "why": state.get("why", ""),
            "console": self.rig.log_text()[-2000:],
        }

    def _aim_w(self) -> float:
        """By the rig's table; a step is admitted in part when the position is inside it."""
        hello = self._heard.hello
        watts = float(hello["floor_w"])
        for _, start_w, end_w in self.site.ladder(NAME):
            watts += min(max(0, (self.site.admit_w or 0) - start_w), end_w - start_w)
        first_w = hello["points"][0][0]
        return watts if watts >= first_w else float(hello["floor_w"])

    # ---- what a story does

    def budget(self, level: float) -> None:
        self.site.joins = True
        self.site.level(int(level), round(level % 1 * 1000))

    def silence(self) -> None:
        self.site.silence()

    def break_(self, fault: str) -> None:
        self.rig.faults.add(fault)

    def mend(self, fault: str) -> None:
        self.rig.faults.discard(fault)

    def mend_all(self) -> None:
        self.rig.faults.clear()

    def broker_down(self) -> None:
        self.broker.down(forget=True)

    def broker_up(self) -> None:
        self.broker.up()

    def half_open(self) -> None:
        self.broker.half_open()

    def network(self, word: str) -> None:
        self.broker.unreachable(word == "away")

    def lose(self, share_pct: float) -> None:
        self.broker.loss = share_pct / 100

    def delay(self, delay_s: float) -> None:
        self.broker.delay_s = delay_s

    def wifi(self, word: str) -> None:
        self.rig.wifi(word == "on")

    def cable(self, word: str) -> None:
        self.rig.cable(word == "in")

    def uplink(self, word: str) -> None:
        """Behind the switch: the cable's link stays, and leads nowhere."""
        self.rig.cable_way.loss = 1.0 if word == "dead" else 0.0

    def name_server(self, word: str) -> None:
        self.bench.names.silent = word == "silent"

    def time_server(self, word: str) -> None:
        time, ahead_s = self.bench.time, WRONG_S if word == "wrong" else 0.0
        time.silent = word == "silent"
        time.unix_s = lambda: UNIX_S + self.bench.now_s + ahead_s

    def kill(self) -> None:
        self.rig.kill()

    def start(self) -> None:
        self.rig.start()

    def brown_out(self, seconds: float) -> None:
        self.rig.brown_out(seconds)

    def button(self, seconds: float) -> None:
        self.rig.press(seconds)

    def stall(self, seconds: float) -> None:
        self.rig.stall(seconds)

    def save_and_lose_power(self, step: float) -> None:
        self._program(SAVING)
        self.rig.restart()
        self.rig.lose_power_at_write(int(step))

    def lose_power(self, step: float) -> None:
        self.rig.lose_power_at_write(int(step))

    def break_firmware(self) -> None:
        self._program(BROKEN)
        self.rig.restart()

    def _program(self, text: str) -> None:
        (self.rig.flash / "main.py").write_text(text)

    def clock(self, change_s: float) -> None:
        self.rig.set_clock(UNIX_S + self.bench.now_s + change_s)

    def air(self, celsius: float) -> None:
        self.rig.plant.ambient_c = celsius

    def noise(self, board: float, seconds: float) -> None:
        """Bytes out of nowhere, in bursts, on a board's receive line."""
        chance, until_s = self.bench.chance, self.bench.now_s + seconds

        def burst() -> None:
            if self.bench.now_s < until_s:
                self.rig.noise(int(board), chance.randbytes(chance.randint(1, NOISE_BYTES)))
                self.bench.at(self.bench.now_s + NOISE_EVERY_S, burst)

        burst()

    def replay_budgets(self) -> None:
        self._replay(topics.budget(self.site.name))

    def replay_commands(self) -> None:
        self._replay(topics.rig(self.site.name, NAME, "cmd"))

    def _replay(self, topic: str) -> None:
        for said, payload in list(self.site.sent):
            if said == topic:
                self.broker.publish(topic, payload, by="a stranger")

    def forge(self) -> None:
        self._stranger(HIGH_W, self.site.term, bytes(32))

    def old_term(self) -> None:
        self._stranger(HIGH_W, self.site.term - 1, mac.budget_key(self.site.key))

    def _stranger(self, admit_w: int, term: int, key: bytes) -> None:
        """A budget that is well made but for its seal or its term."""
        values: dict[str, object] = {
            "term": term,
            "seq": self.site.seq + 1000,
            "epoch": self.site.epoch,
            "admit_w": admit_w,
            "budget_w": admit_w,
            "ttl_ms": 600_000,
            "sent_ms": int((UNIX_S + self.bench.now_s) * 1000),
        }
        topic = topics.budget(self.site.name)
        body = messages.encode("budget", values)
        self.broker.publish(topic, mac.seal(key, topic, body), by="a stranger")
