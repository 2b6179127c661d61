"""The microcontroller of a Bitmain hash board: starts in its loader, switches the chips' volts.

protocols/pic.py says what goes over the wire.  Without a heartbeat it takes the volts away.
"""

from protocols import pic

APP_VERSION, LOADER_VERSION = 0x89, 0xFE
JUMP_S = 1.0  # from its loader to its program
HEARTBEAT_S = 30.0  # nobody has published it; stock programs beat every 10 s


class BoardPic:
    def __init__(self) -> None:
        self.celsius = 25.0
        self.forget()

    def forget(self) -> None:
        """Its 12 V were gone: it begins in the loader."""
        self._app_s: float | None = None  # when its program runs, once told to
        self._asked_on = False
        self._beat_s = 0.0
        self._reply, self._ready_s = b"", 0.0

    def enabled(self, now_s: float) -> bool:
        """Whether the chips of its board get the supply's volts."""
        return self._asked_on and now_s - self._beat_s <= HEARTBEAT_S

    def write(self, data: bytes, now_s: float = 0.0) -> bool:
        if data:
            self._reply = b""
            try:
                command, argument = pic.requested(data)
            except pic.PicError:
                return True  # acknowledged, and nothing comes of it
            said = self._obey(command, argument, now_s)
            if said is not None:
                self._reply = pic.reply(command, said)
                self._ready_s = now_s + pic.WAIT_MS.get(command, pic.WAIT_SHORT_MS) / 1000 * 0.8
        return True

    def read(self, size: int, now_s: float = 0.0) -> bytes | None:
        ready = self._reply if now_s >= self._ready_s else b""
        return (ready + b"\xff" * size)[:size]

    def _runs(self, now_s: float) -> bool:
        return self._app_s is not None and now_s >= self._app_s

    def _obey(self, command: int, argument: bytes, now_s: float) -> bytes | None:
        if command == pic.RESET:
            self.forget()
            return bytes((LOADER_VERSION,))
        if command == pic.JUMP:
            self._app_s = now_s + JUMP_S if self._app_s is None else self._app_s
            return b"\1"
        runs = self._runs(now_s)
        if command == pic.VERSION:
            return bytes((APP_VERSION if runs else LOADER_VERSION,))
        return self._run(command, argument, now_s) if runs else None  # the loader knows no more

    def _run(self, command: int, argument: bytes, now_s: float) -> bytes | None:
        if command == pic.HEARTBEAT:
            self._beat_s = now_s
            return b"\1\0"
        if command == pic.ENABLE and len(argument) == 1:
            self._asked_on, self._beat_s = bool(argument[0]), now_s
            return b"\1"
        size = pic.REPLY_SIZE.get(command, 0)
        return bytes(size - 4) if size > 4 else None  # its converters, which read nothing here
