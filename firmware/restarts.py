"""How long a controller that keeps restarting waits before it may hash again.

Pure.  The count is of starts without ten good minutes between them, whatever their
cause; it is kept over resets and losses of power (board.restarts).
"""

FREE = 3  # starts that cost nothing: a person at the plug, one bad moment of the mains
WAIT_MS, WAIT_MS_MAX = 10_000, 600_000
GOOD_MS = 600_000  # so long without a restart, and they are forgotten


def wait_ms(starts: int) -> int:
    """Before hash power, counted from this start, the starts-th of them."""
    if starts <= FREE:
        return 0
    return min(WAIT_MS_MAX, WAIT_MS << min(starts - FREE - 1, 8))


def because(starts: int, up_ms: int) -> str:
    """Why it still waits; "" when it does not."""
    if up_ms >= wait_ms(starts):
        return ""
    return f"started {starts} times without ten good minutes"
