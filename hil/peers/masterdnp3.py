"""A DNP3 master of its own process, on opendnp3: a line of JSON in, a line out.

{"do": "read"} -> {"analog": {"0": [59.0, true]}, "binary": {...}}, by an integrity poll
{"do": "set", "mw": 60.0, "select": false} -> [summary, [status of each point]]
{"do": "switch", "index": 0, "on": true}   -> the same
"""

import json
import queue
import sys

import opendnp3

ONLINE = 0x01


class Heard(opendnp3.ISOEHandler):
    """Keeps what the outstation says, and counts what came as an event."""

    def __init__(self):
        super().__init__()
        self.values, self.events = {"analog": {}, "binary": {}}, 0

    def BeginFragment(self, info):
        pass

    def EndFragment(self, info):
        pass

    def Process(self, info, values):
        for one in values:
            kind = type(one).__name__
            if kind in ("IndexedAnalog", "IndexedBinary"):
                name = "analog" if kind == "IndexedAnalog" else "binary"
                good = bool(one.value.flags.value & ONLINE)
                self.values[name][one.index] = [one.value.value, good]
                self.events += info.isEventVariation


class Application(opendnp3.IMasterApplication):
    pass


def main(port):
    manager = opendnp3.DNP3Manager(1)
    retry = opendnp3.ChannelRetry(
        opendnp3.TimeDuration.Milliseconds(100), opendnp3.TimeDuration.Milliseconds(200)
    )
    where = [opendnp3.IPEndpoint("127.0.0.1", port)]
    channel = manager.AddTCPClient("c", opendnp3.LogLevels(0), retry, where, "0.0.0.0", None)
    config = opendnp3.MasterStackConfig()
    config.link.LocalAddr, config.link.RemoteAddr = 1, 10
    config.master.disableUnsolOnStartup = False
    heard = Heard()
    master = channel.AddMaster("m", heard, Application(), config)
    master.Enable()
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "read":
            master.ScanClasses(opendnp3.ClassField.AllClasses(), heard)
            answer = heard.values | {"events": heard.events}
        else:
            answer = operate(master, order)
        print(json.dumps(answer), flush=True)


def operate(master, order):
    """Waits for the task's end; its summary is not the points' status."""
    done = queue.Queue()
    call = master.SelectAndOperate if order.get("select") else master.DirectOperate
    if order["do"] == "set":
        command, index = opendnp3.AnalogOutputDouble64(order["mw"]), order.get("index", 0)
    else:
        kind = opendnp3.OperationType.LATCH_ON if order["on"] else opendnp3.OperationType.LATCH_OFF
        command, index = opendnp3.ControlRelayOutputBlock(kind), order["index"]
    call(command, index, done.put)
    result = done.get(timeout=20)
    return [result.summary.name, [point.status.name for point in result.to_list()]]


main(int(sys.argv[1]))
