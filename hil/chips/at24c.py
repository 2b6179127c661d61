"""An AT24C02 EEPROM: 256 bytes, pages of 8, deaf while it writes."""

SIZE, PAGE = 256, 8
WRITE_S = 0.005


class At24c:
    """content: what is in it; shorter is filled up with FF, as it leaves its factory."""

    def __init__(self, content: bytes = b"") -> None:
        self._data = bytearray((content + b"\xff" * SIZE)[:SIZE])
        self._at = 0
        self._busy_until_s = -1.0
        self.protected = False  # the write-protect pin is high
        self.writes = 0  # cycles so far: it lasts about a million

    @property
    def content(self) -> bytes:
        return bytes(self._data)

    def write(self, data: bytes, now_s: float = 0.0) -> bool:
        """An address, and up to a page of data: more wraps within the page."""
        if now_s < self._busy_until_s:
            return False
        if data:
            self._at = data[0]
        if len(data) > 1 and not self.protected:
            self._put(data[1:])
            self.writes += 1
            self._busy_until_s = now_s + WRITE_S
        return True

    def read(self, size: int, now_s: float = 0.0) -> bytes | None:
        """From where it is, around the end."""
        if now_s < self._busy_until_s:
            return None
        data = bytes(self._data[(self._at + n) % SIZE] for n in range(size))
        self._at = (self._at + size) % SIZE
        return data

    def _put(self, data: bytes) -> None:
        page = self._at // PAGE * PAGE
        for n, byte in enumerate(data):
            self._data[page + (self._at + n) % PAGE] = byte
        self._at = page + (self._at + len(data)) % PAGE
