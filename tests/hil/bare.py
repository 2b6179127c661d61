"""A rig without firmware: parts and plant on a clock moved by hand, driven by raw frames."""

import heapq
from collections.abc import Callable

from hil.circuits import CIRCUITS
from hil.plant import Plant
from hil.virtual import wire as pipe
from hil.wiring import Wiring
from protocols import apw, bm13xx, pic, pll, pmbus
from protocols import hashboard as wire

STEP_S = 0.05
SLOW, FAST = 115_200, 3_125_000
FAST_WORD = 0x0130_0000
JOB = wire.job_frame(wire.Job(0x48, 0, 1, 2, bytes(32), bytes(32), 0x2000_0000))


class Bare:
    def __init__(
        self, board: str = "s21pro", name: str = "bare-1", ambient_c: float = 25.0
    ) -> None:
        self.circuit = CIRCUITS[board]
        self.now_s = 100.0
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self.plant = Plant(self.circuit.model, ambient_c)
        self.wiring = Wiring(self.plant, name, lambda: self.now_s, self._at, self.circuit)
        self.heard: dict[int, bytes] = {}
        self.wiring.push = self._hear
        self.faults = self.wiring.faults

    def run(self, seconds: float) -> None:
        until_s = self.now_s + seconds
        while self.now_s < until_s - 1e-9:
            next_s = min(until_s, self.now_s + STEP_S)
            while self._later and self._later[0][0] <= next_s:
                self.now_s, _, call = heapq.heappop(self._later)
                call()
            self.now_s = next_s
            self.wiring.step()

    def say(self, uart: int, *frames: bytes) -> None:
        for frame in frames:
            self.wiring.uart_write(uart, frame)

    def ask(self, uart: int, register: int, seconds: float = 0.3) -> dict[int, int]:
        """The register of every chip that answers, by address."""
        return {reply.chip: reply.value for reply in self.replies(uart, register, seconds)}

    def replies(self, uart: int, register: int, seconds: float = 0.3) -> list[wire.Register]:
        self.heard[uart] = b""
        self.say(uart, wire.read_register(register))
        self.run(seconds)
        replies = wire.Receiver().feed(self.heard[uart])
        return [reply for reply in replies if isinstance(reply, wire.Register)]

    def i2c(self, bus: int, address: int, out: bytes, size: int = 0) -> tuple[int, bytes]:
        return self.wiring.i2c(bus, address, out, size)

    # ---- a whole start

    def start(self, mv: int, mhz: int, boards: tuple[int, ...] = ()) -> None:
        """From nothing to hashing; the fans at full speed, as their line floats."""
        boards = boards or tuple(range(self.circuit.model.boards))
        self.volts(mv)
        self.wiring.pin(self.circuit.hash_power_pin, self.circuit.hash_power_on)
        self.run(3.0)
        for board in boards:
            self.wake(board)
        self.run(0.2)
        for board in boards:
            self.configure(board, mhz)
        self.run(1.0)

    def volts(self, mv: int) -> None:
        circuit = self.circuit
        if circuit.supply == "pmbus":
            word = pmbus.word_bytes(pmbus.to_ulinear16(mv, -9))
            data = bytes((pmbus.VOUT_COMMAND,)) + word
            assert self.i2c(circuit.supply_bus, circuit.supply_address, data)[0] == pipe.I2C_OK
            return
        n = apw.n_of(mv, int(circuit.supply[4:], 16))
        reply = self.apw(apw.SET_VOLTAGE, bytes((n, 0)))
        assert reply == bytes((n, 0))

    def apw(self, command: int, data: bytes = b"") -> bytes:
        bus, address = self.circuit.supply_bus, self.circuit.supply_address
        for byte in apw.frame(command, data):
            assert self.i2c(bus, address, bytes((apw.PORT, byte)))[0] == pipe.I2C_OK
        self.run(0.4)
        size = apw.reply_size(command, 1, data[1] if command == apw.READ_EEPROM else 0)
        frame = b"".join(self.i2c(bus, address, bytes((apw.PORT,)), 1)[1] for _ in range(size))
        return apw.decoded(frame)[1]

    def pic(self, board: int, command: int, data: bytes = b"") -> bytes:
        bus, address = self.circuit.sensor_bus, self.circuit.pic_address + board
        assert self.i2c(bus, address, pic.request(command, data))[0] == pipe.I2C_OK
        self.run(0.3)
        return pic.replied(command, self.i2c(bus, address, b"", pic.REPLY_SIZE[command])[1])

    def wake(self, board: int) -> None:
        """Volts to its chips, and out of reset."""
        circuit = self.circuit
        if circuit.pic_address:
            self.pic(board, pic.JUMP)
            self.run(1.2)
            assert self.pic(board, pic.ENABLE, b"\1") == b"\1"
        else:
            self.wiring.pin(circuit.enable_pins[board], 1)
        self.wiring.pin(circuit.reset_pins[board], 1)

    def configure(self, board: int, mhz: int) -> None:
        """Addresses, the fast rate, cores, clock, work."""
        model = self.circuit.model
        self.wiring.uart_setup(board, SLOW, 0)
        roll = wire.write_register(wire.VERSION_ROLLING, 0x9000_FFFF)
        self.say(board, roll, wire.chain_inactive())
        self.say(board, *(wire.set_address(address) for address in range(0, 256, 2)))
        self.say(board, wire.write_register(wire.UART_BAUD, FAST_WORD))
        self.wiring.uart_setup(board, FAST, 0)
        ticket = wire.ticket_mask(65_536)
        self.say(board, wire.write_register(wire.TICKET_MASK, ticket))
        self.say(board, wire.write_register(wire.MISC_CONTROL, 0xF000_C100))
        self.say(board, wire.write_register(wire.CORE_CONTROL, wire.core_write(2, 0xAA)))
        self.clock(board, mhz)
        self.say(board, JOB, wire.write_register(wire.HASH_COUNTING, 0x1EB5))
        assert bm13xx.CHIPS[model.chip].midstates == 0

    def clock(self, board: int, mhz: int) -> None:
        word = pll.word(self.circuit.model.chip, mhz * 1000)
        self.say(board, wire.write_register(wire.PLL0, word))

    def _at(self, when_s: float, call: Callable[[], None]) -> None:
        heapq.heappush(self._later, (when_s, len(self._later) + id(call), call))

    def _hear(self, uart: int, data: bytes) -> None:
        self.heard[uart] = self.heard.get(uart, b"") + data
