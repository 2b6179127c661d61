"""Control rooms that leave a file: a spreadsheet's schedule, and a calendar of windows."""

from datetime import UTC, datetime, timedelta

from hil.peers.rooms import LONG_S, Room, replace_file


class Csv(Room):
    """Rows until the word's end; cancelled by a schedule that is over."""

    name = "csv"

    def keys(self) -> str:
        self._write(0.0, -60.0, 30.0)
        return 'file = "schedule.csv"'

    async def say(self, mw: float, for_s: float = LONG_S) -> None:
        self._write(mw, -1.0, for_s + 1.0)

    async def cancel(self) -> None:
        self._write(0.0, -60.0, 30.0)

    async def go(self) -> None:
        """A copy that broke off, which is no schedule."""
        replace_file(self.site.folder / "schedule.csv", b"time,mw\n2026-11-")

    def _write(self, mw: float, from_s: float, length_s: float) -> None:
        """Two rows, so that the second one lasts as long as the first."""
        now = datetime.now(UTC)
        times = [now + timedelta(seconds=from_s + part * length_s) for part in (0.0, 0.5)]
        rows = "".join(f"{at.isoformat()},{mw:.6f}\n" for at in times)
        replace_file(self.site.folder / "schedule.csv", f"time,mw\n{rows}".encode())


class Calendar(Room):
    """One window; cancelled by its status."""

    name = "calendar"
    _said = ""

    def keys(self) -> str:
        self._write("")
        return 'file = "plan.ics"'

    async def say(self, mw: float, for_s: float = LONG_S) -> None:
        now = datetime.now(UTC)
        start, end = now - timedelta(seconds=1), now + timedelta(seconds=for_s)
        self._said = (
            f"UID:1\r\nSUMMARY:line 4\\, at most {mw * 1000:.3f} kW\r\n"
            f"DTSTART:{start:%Y%m%dT%H%M%SZ}\r\nDTEND:{end:%Y%m%dT%H%M%SZ}\r\n"
        )
        self._write(f"BEGIN:VEVENT\r\n{self._said}END:VEVENT\r\n")

    async def cancel(self) -> None:
        self._write(f"BEGIN:VEVENT\r\n{self._said}STATUS:CANCELLED\r\nEND:VEVENT\r\n")

    async def go(self) -> None:
        (self.site.folder / "plan.ics").unlink()

    def _write(self, events: str) -> None:
        head = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:room\r\n"
        text = f"{head}{events}END:VCALENDAR\r\n"
        replace_file(self.site.folder / "plan.ics", text.encode())
