"""The ESP32's esp32 module: non-volatile storage, as one file of the rig's flash."""

import json

_FILE = "nvs.json"


class NVS:
    """Integers and blobs by name; kept across a reset once commit() was called."""

    def __init__(self, namespace) -> None:
        self._namespace = namespace
        self._all = _load()
        self._mine = self._all.setdefault(namespace, {})

    def set_i32(self, key, value) -> None:
        self._mine[key] = value

    def get_i32(self, key) -> int:
        return self._get(key, int)

    def set_blob(self, key, value) -> None:
        self._mine[key] = bytes(value).hex()

    def get_blob(self, key, buffer) -> int:
        data = bytes.fromhex(self._get(key, str))
        buffer[: len(data)] = data
        return len(data)

    def erase_key(self, key) -> None:
        self._get(key, (int, str))
        del self._mine[key]

    def commit(self) -> None:
        latest = _load()  # another namespace may have been committed since
        latest[self._namespace] = self._mine
        with open(_FILE, "w") as file:
            json.dump(latest, file)

    def _get(self, key, kind):
        if not isinstance(self._mine.get(key), kind):
            raise OSError(-4354)  # ESP_ERR_NVS_NOT_FOUND
        return self._mine[key]


def _load() -> dict:
    try:
        with open(_FILE) as file:
            return json.load(file)
    except (OSError, ValueError):
        return {}


def mcu_temperature() -> int:
    """Celsius; the S2, S3 and C3 have it."""
    return 45
