"""The gc module where memory is plenty: collecting every few kilobytes would be half the work.

A rig of the bench that is given a heap has the real one.
"""

from gc import *  # noqa: F403


def threshold(amount=None):
    """Kept for whoever asks; the heap is collected when it is full, or when told to."""
    return -1 if amount is None else None
