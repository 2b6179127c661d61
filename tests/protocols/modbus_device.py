"""A Modbus device for tests of the codec; both runtimes."""

from protocols import modbus
from protocols.registers import NO_REGISTER, NO_VALUE, RegisterError


class Device(modbus.Device):
    """Registers 0 to 99 hold their address; what is written is kept."""

    def __init__(self):
        self.written = []

    def read(self, address, count):
        if address + count > 100:
            raise RegisterError(NO_REGISTER, "beyond the last")
        return list(range(address, address + count))

    def write(self, address, words):
        if 0xFFFF in words:
            raise RegisterError(NO_VALUE, "out of range")
        self.written.append((address, words))

    def file(self, number, at, count):
        if number != 4:
            raise RegisterError(NO_REGISTER, "no such file")
        return bytes(range(at, at + 2 * count))
