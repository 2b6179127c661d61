"""The last things that happened to the rig, for who asks at the rig itself.

What goes over the network is numbered and kept elsewhere until it is on record; this is a
short look back that does not grow.
"""

KEPT = 12


class Recent:
    """last: [(up_ms, code, text), ...], the newest last; newest: how many there ever were."""

    def __init__(self) -> None:
        self.last: list[tuple[int, str, str]] = []
        self.newest = 0

    def take(self, rig) -> list:
        """What changed on the rig since the last call."""
        changes, rig.changes = rig.changes, []
        for change in changes:
            self.newest += 1
            self.last.append((rig.up_ms, change.code, change.text))
            if len(self.last) > KEPT:
                self.last.pop(0)
        return changes
