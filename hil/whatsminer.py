"""A stock miner on the network: the API of a Whatsminer, version 2, on port 4028.

Replies have the shapes pyasic reads, with values of our own.  Orders come sealed: AES-256 in
ECB under a key made from the password and the salts that get_token gives.  Needs what
pyasic itself needs (passlib, cryptography), so it is imported by tests of that extra only.

faults can be changed live: "hung" (takes a connection and says nothing), "deaf" (says OK
and does nothing), "closed" (its API takes no orders), "mute" (does not say its power).
"""

import asyncio
import base64
import hashlib
import json
import time
from collections.abc import Callable, Sequence
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from passlib.hash import md5_crypt

PORT = 4028
SALT, NEW_SALT, TIME = "BQ5hoXV9", "jbzkfQls", "5626"
IDLE_W = 30
JOULES_PER_TH = 34.0


class Whatsminer:
    """power_w is the truth.  limit_w holds over sleep only while the miner is not woken: it
    comes back as it was made, as its owners complain."""

    def __init__(
        self,
        host: str,
        *,
        top_w: int = 3400,
        password: str = "admin",
        wake_s: float = 60.0,
        w_per_s: float = 100.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.faults: set[str] = set()
        self.orders: list[tuple[float, str]] = []
        self.host, self.top_w, self.limit_w, self.mining = host, top_w, top_w, True
        self._password, self._wake_s, self._w_per_s, self._clock = password, wake_s, w_per_s, clock
        self._power_w, self._at_s, self._awake_s = float(top_w), clock(), 0.0
        self._server: asyncio.Server | None = None
        hashed = md5_crypt.using(salt=SALT).hash(password).split("$")[3]
        self._token = md5_crypt.using(salt=NEW_SALT).hash(hashed + TIME).split("$")[3]
        key = hashlib.sha256(hashed.encode()).digest()
        self._cipher = Cipher(algorithms.AES(key), modes.ECB())

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, self.host, PORT)

    async def stop(self) -> None:
        if self._server:
            self._server.close()

    @property
    def power_w(self) -> int:
        """Off within seconds; up after waking, no faster than it can."""
        now_s = self._clock()
        aim_w = float(self.limit_w if self.mining else IDLE_W)
        if self.mining and now_s < self._awake_s:
            aim_w = IDLE_W
        most_w = self._w_per_s * (now_s - self._at_s) * (1 if self.mining else 10)
        self._power_w += max(-most_w, min(most_w, aim_w - self._power_w))
        self._at_s = now_s
        return round(self._power_w)

    # ---- the wire

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = await reader.read(4096)
            if "hung" in self.faults:
                await reader.read()  # until the other end gives up
            elif request:
                writer.write(json.dumps(self._reply(json.loads(request))).encode())
                await writer.drain()
        except (ConnectionError, ValueError):
            pass
        finally:
            writer.close()

    def _reply(self, request: dict[str, Any]) -> dict[str, Any]:
        if "enc" in request:
            order = json.loads(self._opened(request["data"]))
            return {"enc": self._sealed(json.dumps(self._obey(order)))}
        names: list[str] = str(request.get("command", request.get("cmd"))).split("+")
        if len(names) == 1:
            return self._answer(names[0])
        return {name: [self._answer(name)] for name in names} | {"id": 1}

    def _opened(self, data: str) -> str:
        raw = self._cipher.decryptor().update(base64.b64decode(data))
        return raw.rstrip(b"\0").decode(errors="replace")

    def _sealed(self, text: str) -> str:
        raw = text.encode()
        raw += b"\0" * (-len(raw) % 16)
        return base64.b64encode(self._cipher.encryptor().update(raw)).decode()

    # ---- what it says

    def _answer(self, name: str) -> dict[str, Any]:
        replies: dict[str, Callable[[], Any]] = {
            "version": lambda: _status("BTMiner version", VERSION=[{"API": "2.0.5"}]),
            "devdetails": lambda: _status(
                "Device Details",
                DEVDETAILS=[{"DEVDETAILS": 0, "Name": "SM", "ID": 0, "Model": "M30S_V10"}],
            ),
            "get_version": lambda: _message({"api_ver": "2.0.5", "fw_ver": "20230101.12.REL"}),
            "get_token": lambda: _message({"salt": SALT, "newsalt": NEW_SALT, "time": TIME}),
            "get_psu": lambda: _message({"name": "P221B", "fan_speed": "6000"}),
            "status": lambda: _message({"mineroff": "false" if self.mining else "true"}),
            "summary": lambda: _status("Summary", SUMMARY=[self._summary()]),
        }
        reply = replies.get(name)
        return reply() if reply else _error("invalid cmd")

    def _summary(self) -> dict[str, Any]:
        power_w = self.power_w
        ths = max(0.0, power_w - IDLE_W) / JOULES_PER_TH if self.mining else 0.0
        return {
            "Elapsed": 100,
            "MHS 1m": ths * 1e6,
            "Power": -1 if "mute" in self.faults else power_w,
            "Power Limit": self.limit_w,
            "Power Mode": "Normal",
            "Fan Speed In": 4200,
            "Fan Speed Out": 4300,
            "Env Temp": 24.5,
            "Factory GHS": 100_000,
        }

    # ---- what it does

    def _obey(self, order: dict[str, Any]) -> dict[str, Any]:
        name = order["cmd"]
        self.orders.append((self._clock(), name))
        if "closed" in self.faults or order.get("token") != self._token:
            return _error("can't access write cmd")
        self.power_w  # noqa: B018  up to now as it was
        if "deaf" in self.faults:
            pass
        elif name == "power_off":
            self.mining = False
        elif name == "power_on" and not self.mining:
            self.mining, self.limit_w = True, self.top_w
            self._awake_s = self._clock() + self._wake_s
        elif name == "adjust_power_limit":
            self.limit_w = min(self.top_w, int(order["power_limit"]))
        return _message("API command OK")


def _status(about: str, **more: Any) -> dict[str, Any]:
    status = {"STATUS": "S", "When": 0, "Code": 131, "Msg": about, "Description": "btminer"}
    return {"STATUS": [status], **more, "id": 1}


def _message(body: Any) -> dict[str, Any]:
    return {"STATUS": "S", "When": 0, "Code": 131, "Msg": body, "Description": ""}


def _error(text: str) -> dict[str, Any]:
    return {"STATUS": "E", "When": 0, "Code": 45, "Msg": text, "Description": ""}


def hosts(count: int) -> Sequence[str]:
    """Loopback addresses, one a miner: all of them listen on the same port."""
    return [f"127.0.40.{number}" for number in range(1, count + 1)]
