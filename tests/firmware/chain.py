"""A UART with a chain of BM1370 chips on it that exist only in a test."""

from protocols import hashboard as codec
from protocols import hashboard_chip as far

CHIP_ID = 0x1370_0000


class Chain:
    """Answers reads and remembers writes; a wrong rate garbles, as on the wire."""

    def __init__(self, chips=4):
        self.chips = chips
        self.answering = chips
        self.baud = self.chip_baud = 115_200
        self.addressed = 0
        self.heard = []  # commands and jobs, in order
        self.garbled = 0
        self.hashes = self.wrong = 0
        self.slipped = ()  # places of chips that do not hold their clock
        self.on_read = lambda: None
        self._receiver = far.CommandReceiver()
        self._out = b""

    def init(self, baudrate):
        self.baud = baudrate
        self._out = b""

    def reset(self):
        self.chip_baud = 115_200
        self._receiver = far.CommandReceiver()

    def txdone(self):
        return True

    def any(self):
        return len(self._out)

    def read(self, size):
        data, self._out = self._out[:size], self._out[size:]
        return data or None

    def write(self, data):
        if self.baud != self.chip_baud:
            self.garbled += len(data)
            return
        for event in self._receiver.feed(data):
            self.heard.append(event)
            if isinstance(event, far.ReadRegister):
                self._answer(event.register)
            elif isinstance(event, far.WriteRegister) and event.register == codec.UART_BAUD:
                self.chip_baud = far.baud(event.value)

    def written(self, register, chip=None):
        """The values written to a register, by broadcast or to one chip, in order."""
        return [
            event.value
            for event in self.heard
            if isinstance(event, far.WriteRegister)
            and (event.register, event.chip) == (register, chip)
        ]

    def count(self, kind):
        return sum(1 for event in self.heard if isinstance(event, kind))

    def _answer(self, register):
        values = {codec.CHIP_ID: CHIP_ID, codec.NONCE_ERRORS: self.wrong}
        if register == codec.PLL0:
            values[register] = self.written(codec.PLL0)[-1] | codec.LOCKED
        value = values.get(register, self.hashes)
        for index in range(self.answering):
            slipped = register == codec.PLL0 and index in self.slipped
            self._out += far.register_reply(2 * index, register, 0 if slipped else value)
        if register == codec.PLL0:
            self.on_read()
