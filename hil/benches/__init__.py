"""Benchmarks: each measures one thing; none of them judges.

`surplus bench NAME` imports hil/benches/NAME.py and calls its command(), whose options
become those of the command line and whose answer is printed, --json as one object.
A bench that lacks something to run raises ModuleNotFoundError with what and how to get it.
"""

# name: what it measures
BENCHES = {
    "dispatch": "ladders from nothing, one change, and against the exact optimum",
    "signals": "from a control room's word to the broadcast, protocol by protocol",
    "hil": "the bench in virtual time: seconds a second for one rig, and one bus transaction",
    "broadcast": "one budget to thousands of connected clients, and a command to each",
    "ingest": "state messages through a broker into the supervisor: CPU of each",
    "reconnect": "the broker killed under thousands of clients: until all are back",
    "load": "a whole site, a connection for every rig: CPU and memory of each process",
    "frequency": "a fall of the grid's frequency: what is shed by when, and the way back",
    "day": "24 virtual hours of a whole site with faults: tracking, overshoot, leases",
    "fidelity": "the fleet model against the firmware: the worst errors on random signals",
    "learn": "from the site meter alone, how soon each model's power is known",
    "band": "sleeps and energy of the frequency band against pure merit order",
    "recovery": "the supervisor killed at random instants: back in control, ledger whole",
    "lines": "rigs on a Modbus line: a fall with the last of them, CPU of a request and of a look",
    "firmware": "the rig's controller: turns of its loops, heap over a day, a message published",
    "history": "telemetry of a whole site: bytes a rig and day, what a beat pays, reading",
}
