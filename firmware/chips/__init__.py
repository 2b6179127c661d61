"""How a chain of each kind of chip is started: lists for drivers/hashboard.py, one chip a file.

All have the same names, so that a rig loads the one file of its chip and the driver is one.
Sources: protocols/hashboard.md.

    SMALL_CORES    of one chip; each makes one hash a clock
    REPLY          bytes of a register's answer, once ROLL has been written where there is one
    ROLL           switches version rolling on, and the long answers with it
    BEFORE         to all, before they are given addresses
    ALL            to all, once they have them
    STRONG         drivers of a domain's last chip, on boards of more than 9 domains; 0: as they are
    PADS           to all, between the domains' drivers and their relays
    BAUD, FAST     what sets the fast rate, and that rate in bits per second
    EACH           to each chip by itself
    LAST           to all at the end
    OFFSETS        whether each chip is told where its share of the nonces begins
    SWEEPS         whether a sweep's length must be set before anything hashes
    CLOCK          before each new word of PLL0
    COUNTER, UNIT  hashes done: the register, and how many GH one count is, in millionths
    IS_RATE        it tells GH/s and not GH since the start
    ERRORS         counts hashes that came out wrong, in the same unit; 0: there is none
"""


def chip(model: int):
    """The list of BM<model>.  Raises ImportError for one nobody has written."""
    name = "bm%d" % model
    return getattr(__import__("firmware.chips." + name).chips, name)
