"""machine.SPI of the virtual ESP32: a bus to be given to network.LAN, which does the talking."""


class SPI:
    MSB, LSB = 0, 1

    def __init__(
        self, id, baudrate=500_000, polarity=0, phase=0, bits=8, firstbit=MSB, sck=None, mosi=None,
        miso=None,
    ) -> None:  # fmt: skip
        if id not in (1, 2):
            raise ValueError("SPI(%d) doesn't exist" % id)

    def write(self, *args):
        raise NotImplementedError("the bench has no parts on SPI")

    read = readinto = write_readinto = write
