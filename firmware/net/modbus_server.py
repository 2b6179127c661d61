"""The Modbus servers a rig's settings ask for, each as a loop that never ends."""

from firmware.net.modbus_device import Device
from firmware.safety import Change


def loops(rig, settings: dict) -> list:
    device, found = Device(rig), []
    rig.counted.append(("modbus refused", device, "refused"))
    if settings["modbus_port"]:
        from firmware.net.modbus_tcp import Server

        found.append(Server(settings["modbus_port"], device).run)
    if settings["modbus_unit"]:
        baud = settings["modbus_baud"]
        line = rig.board.line(baud, settings["modbus_parity"])
        if line is None:
            rig.changes.append(
                Change("no-line", "modbus_unit is set, and this board has no RS-485")
            )
        else:
            from firmware.net.modbus_rtu import Line

            found.append(Line(line[0], line[1], baud, settings["modbus_unit"], device).run)
    return found
