"""An IEC 60870-5-104 master of its own process, on c104: a line of JSON in, a line out.

{"do": "state"} -> "OPEN"        {"do": "read"} -> {"2001": [59.0, true], ...}
{"do": "send", "ioa": 1001, "value": 60.0, "age_s": 0.0} -> whether it was confirmed
"""

import datetime
import json
import sys

import c104

SELECTED, TAGGED, EMERGENCY, WATCHDOG = 1003, 1002, 1010, 1011


def main(port: int) -> None:
    master = c104.Client(tick_rate_ms=50)
    link = master.add_connection("127.0.0.1", port, c104.Init.ALL)
    station = link.add_station(common_address=1)
    points = orders(station)
    values = {n: station.add_point(n, c104.Type.M_ME_NC_1) for n in range(2001, 2012)}
    values |= {n: station.add_point(n, c104.Type.M_SP_NA_1) for n in range(2101, 2105)}
    master.start()
    for line in sys.stdin:
        order = json.loads(line)
        if order["do"] == "state":
            answer = link.state.name
            if answer == "OPEN_MUTED":  # c104 forgets its STARTDT now and then
                link.unmute()
        elif order["do"] == "read":
            answer = {n: [p.value, p.info.quality.is_good()] for n, p in values.items()}
        else:
            answer = send(points[order["ioa"]], order)
        print(json.dumps(answer), flush=True)
    master.stop()


def orders(station):
    select = c104.CommandMode.SELECT_AND_EXECUTE
    made = {
        1001: station.add_point(1001, c104.Type.C_SE_NC_1),
        TAGGED: station.add_point(TAGGED, c104.Type.C_SE_TC_1),
        SELECTED: station.add_point(SELECTED, c104.Type.C_SE_NC_1, command_mode=select),
    }
    return made | {n: station.add_point(n, c104.Type.C_SC_NA_1) for n in (EMERGENCY, WATCHDOG)}


def send(point, order):
    number, value = point.io_address, order["value"]
    if number in (EMERGENCY, WATCHDOG):
        point.info = c104.SingleCmd(on=bool(value))
    elif number == TAGGED:
        age = datetime.timedelta(seconds=order.get("age_s", 0.0))
        point.info = c104.ShortCmd(
            target=value, recorded_at=datetime.datetime.now(datetime.UTC) - age
        )
    else:
        point.info = c104.ShortCmd(target=value)
    return point.transmit(c104.Cot.ACTIVATION)


main(int(sys.argv[1]))
