"""Whoever asks the rig something in words, over any channel, asks here.

The words and the table of settings are heap that is needed once in a while: they come when
somebody asks, and go again.
"""

from firmware.lazy import forget

SAID_MAX = 400  # characters of an answer


class Desk:
    """settings: those in force; what may change at once is changed in them."""

    def __init__(self, rig, settings: dict, path: str = "settings.json") -> None:
        self.rig, self.settings, self.path = rig, settings, path

    def ask(self, line: str, at_rig: bool) -> str:
        """The answer, in one line for a machine or a few for a person.  Raises nothing.

        at_rig: whether who asks stands before it; some things only they may do.
        """
        from firmware import words

        try:
            return words.obey(self, line, at_rig or self.rig.face.set_up_left_ms > 0)[:SAID_MAX]
        except Exception as error:
            return f"refused: {error}" if str(error) else f"refused: {type(error).__name__}"
        finally:
            forget("firmware.words")
            forget("firmware.settings")
