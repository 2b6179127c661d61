"""Buses and parts that exist only in a test."""


class Exchange:
    """An I2C bus that knows exactly what should be said, and in what order.

    Steps: ("read", command, reply) and ("write", command, data); an exception in place
    of the reply or as a third value is raised instead.
    """

    def __init__(self, *steps):
        self._steps = list(steps)

    def readfrom_mem(self, address, command, size):
        reply = self._next("read", command)
        assert len(reply) == size, f"{size} bytes asked of {len(reply)}"
        return reply

    def writeto_mem(self, address, command, data):
        expected = self._next("write", command)
        assert bytes(data) == expected, f"wrote {bytes(data)} and not {expected}"

    def done(self):
        return not self._steps

    def _next(self, kind, command):
        assert self._steps, f"unexpected {kind} of command 0x{command:02x}"
        step = self._steps.pop(0)
        assert step[:2] == (kind, command), f"{kind} 0x{command:02x}, expected {step[:2]}"
        if isinstance(step[2], Exception):
            raise step[2]
        return step[2]


class Pin:
    """Remembers what was put on it."""

    def __init__(self, level=0):
        self.level = level
        self.history = []

    def value(self, level=None):
        if level is None:
            return self.level
        self.level = level
        self.history.append(level)


def raises(error, call, *args):
    """The text of the error that call(*args) raises; fails when it raises none."""
    try:
        call(*args)
    except error as caught:
        return str(caught)
    raise AssertionError(f"no {error.__name__}")
