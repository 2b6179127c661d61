"""The rig's serial console: lines in, answers out, on USB or on a UART of its own.

It is no REPL: nothing typed here runs as a program.  What was typed is echoed, a line ends with
return, and one that is too long is forgotten.
"""

from firmware import clock

LOOK_MS = 100
LINE_MAX = 200
PROMPT = b"rig> "
_BACK = (8, 127)


class Console:
    """read() gives what was typed, b"" when nothing was, None when nobody ever will.

    rig: whoever has ask(words, at_rig) -> answer.
    """

    def __init__(self, read, write, rig) -> None:
        self._read, self._write, self._rig = read, write, rig
        self._line = bytearray()
        self._full = False

    async def loop(self) -> None:
        """Until nobody is there."""
        while True:
            typed = self._read()
            if typed is None:
                return
            if typed:
                self._write(self.take(typed))
            await clock.sleep_ms(LOOK_MS)

    def take(self, typed: bytes) -> bytes:
        """What the terminal should show."""
        out = b""
        for byte in typed:
            if byte in (10, 13):
                out += self._end()
            elif byte in _BACK:
                if self._line:
                    self._line = self._line[:-1]
                    out += b"\b \b"
            elif len(self._line) >= LINE_MAX:
                self._full = True
            elif 32 <= byte < 127:
                self._line.append(byte)
                out += bytes((byte,))
        return out

    def _end(self) -> bytes:
        line, self._line = bytes(self._line).decode(), bytearray()
        full, self._full = self._full, False
        if full:
            return b"\r\nrefused: a line has at most %d characters\r\n" % LINE_MAX + PROMPT
        if not line.strip():
            return b"\r\n" + PROMPT
        answer = self._rig.ask(line, True).replace("; ", "\r\n  ")
        return b"\r\n" + answer.encode() + b"\r\n" + PROMPT
