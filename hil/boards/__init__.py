"""Real boards over a serial port, the probe, and what stands in for them here."""


class Unavailable(RuntimeError):
    """What a bench has no means for; the text names the means.  A skip in a test."""
