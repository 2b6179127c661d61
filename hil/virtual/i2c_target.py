"""machine.I2CTarget of the virtual ESP32-S3: the memory device its port has.

The controller answers reads by itself, whatever the program does meanwhile; so the
memory's contents go to the bench, on the channel of a UART that no chip has.  Only the
ends of transfers can be listened to, as on the chip.
"""

import pipe
import wire


class I2CTarget:
    IRQ_END_READ, IRQ_END_WRITE = 16, 32

    def __init__(self, id, addr, *, addrsize=7, mem=None, mem_addrsize=8, scl=None, sda=None):
        if addrsize != 7 or mem is None or mem_addrsize != 8:
            raise NotImplementedError(
                "the bench has 7-bit targets with a memory of 8-bit addresses"
            )
        self._channel, self._address, self._memory = wire.TARGET + id, addr, mem
        self._handler, self._sent, self.memaddr = None, b"", 0
        pipe.listen(self._channel, self._written)
        pipe.turns.append(self._sync)
        self._sync()

    def irq(self, handler=None, trigger=48, hard=False):
        if hard or trigger & ~48:
            raise ValueError("hard IRQ unsupported")
        self._handler = handler if trigger & I2CTarget.IRQ_END_WRITE else None

    def deinit(self) -> None:
        pipe.turns.remove(self._sync)
        pipe.send(wire.UART_WRITE, self._channel)

    def _sync(self) -> None:
        """The memory as it is now; called wherever the program touches a wire."""
        if self._sent != self._memory:
            self._sent = bytes(self._memory)
            pipe.send(wire.UART_WRITE, self._channel, bytes((self._address,)) + self._sent)

    def _written(self, data: bytes) -> None:
        """A transfer of the rig's: memory address, bytes."""
        self.memaddr = data[0]
        for at, byte in enumerate(data[1:], data[0]):
            self._memory[at % len(self._memory)] = byte
        self._sent = bytes(self._memory)
        if self._handler:
            self._handler(self)
