"""Benchmarks: each measures one thing; none of them judges.

`surplus bench NAME` imports hil/benches/NAME.py and calls its command(), whose options
become those of the command line and whose answer is printed, --json as one object.
A bench that lacks something to run raises ModuleNotFoundError with what and how to get it.
"""

# name: what it measures
BENCHES = {
    "dispatch": "ladders from nothing, one change, and against the exact optimum",
}
