"""The Modbus registers of a rig: the same state and limit as its MQTT messages.

A named value is what hello and state carry under that name, in the same range.  A limit
is written together with its time to live, in one request: that is the lease, and it
must be written again before it ends.  Holding registers, upper word and upper byte first.
"""

from collections import namedtuple

from protocols.messages import BUDGET, HELLO, INT, STATE, STATES, Field
from protocols.messages import TEXT as MESSAGE_TEXT

U16, I16, U32, TEXT, NAME, POINT = "u16", "i16", "u32", "text", "state", "point"
READ, WRITE = "r", "rw"
# value in `unit` = register * scale, rounded down; low..high is the value's range, or
# the number of characters of a text
Register = namedtuple(
    "Register", ("name", "address", "kind", "words", "scale", "unit", "low", "high", "access")
)

MAP_VERSION = 1
NO_REGISTER, NO_VALUE = 2, 3  # Modbus exception codes: illegal address, illegal value
_OWN = {
    "map": Field(INT, MAP_VERSION, MAP_VERSION),
    "limit_w": Field(INT, 0, STATE["power_w"].high),
    "ttl_ms": BUDGET["ttl_ms"],
    "ask": Field(MESSAGE_TEXT, 0, 120),
    "told": Field(MESSAGE_TEXT, 0, 120),
}
# plain rows and no tables made of them: a rig's heap is small, its line is slow
_ROWS = (
    # who it is
    ("map", 0, U16, 1, 1, "", READ),
    ("boards", 1, U16, 1, 1, "", READ),
    ("chips", 2, U16, 1, 1, "", READ),
    ("floor_w", 3, U16, 1, 1, "W", READ),
    ("wake_ms", 4, U32, 2, 1, "ms", READ),
    ("up_w_per_s", 6, U32, 2, 1, "W/s", READ),
    ("model", 8, TEXT, 24, 1, "", READ),
    ("firmware", 32, TEXT, 16, 1, "", READ),
    # how it is
    ("state", 100, NAME, 1, 1, "", READ),
    ("level", 101, U16, 1, 1, "", READ),
    ("cap_level", 102, U16, 1, 1, "", READ),
    ("power_w", 103, U32, 2, 1, "W", READ),
    ("hash_ghs", 105, U32, 2, 1, "GH/s", READ),
    ("hot_dc", 107, I16, 1, 1, "0.1 °C", READ),
    ("inlet_dc", 108, I16, 1, 1, "0.1 °C", READ),
    ("fan_rpm", 109, U16, 1, 1, "rpm", READ),
    ("fan_pm", 110, U16, 1, 1, "0.1 %", READ),
    ("lease_ms", 111, U16, 1, 10, "ms", READ),
    ("event", 112, U32, 2, 1, "", READ),
    ("why", 114, TEXT, 60, 1, "", READ),
    # what it may draw, and for how long: written together
    ("limit_w", 400, U32, 2, 1, "W", WRITE),
    ("ttl_ms", 402, U16, 1, 10, "ms", WRITE),
    # words, as at its console, and what it said to the last of them
    ("ask", 500, TEXT, 60, 1, "", WRITE),
    ("told", 560, TEXT, 60, 1, "", READ),
)
STATE_ADDRESS, POINTS_ADDRESS = 100, 200
LIMIT_ADDRESS, ASK_ADDRESS, LIMIT = 400, 500, ("limit_w", "ttl_ms")
POINTS_MAX, _POINT = HELLO["points"].high, "point_"


class RegisterError(ValueError):
    """No such register, or not such a value: the text names it, code is Modbus's own."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(text)
        self.code = code


def find(name: str) -> Register:
    """The register of that name.  Raises RegisterError."""
    for row in _ROWS:
        if row[0] == name:
            return _register(row)
    for level in range(1, POINTS_MAX + 1 if name.startswith(_POINT) else 0):
        if name == f"{_POINT}{level}":
            return _point(level)
    raise RegisterError(NO_REGISTER, f"{name}: no such register")


def every() -> list[Register]:
    """The whole map, for pages and tests."""
    points = [_point(level + 1) for level in range(POINTS_MAX)]
    return sorted([_register(row) for row in _ROWS] + points, key=lambda one: one.address)


def _at(address: int) -> Register:
    """The register that begins there.  Raises RegisterError."""
    for row in _ROWS:
        if row[1] == address:
            return _register(row)
    level, rest = divmod(address - POINTS_ADDRESS, 4)
    if not rest and 0 <= level < POINTS_MAX:
        return _point(level + 1)
    raise RegisterError(NO_REGISTER, f"{address}: no register begins here")


def _register(row: tuple[str, int, str, int, int, str, str]) -> Register:
    name, address, kind, words, scale, unit, access = row
    field = _field(name)
    return Register(name, address, kind, words, scale, unit, field.low, field.high, access)


def _field(name: str) -> Field:
    return _OWN.get(name) or HELLO.get(name) or STATE[name]


def _point(level: int) -> Register:
    """One operating point: (watts, GH/s), each 32 bits; both 0 beyond the last."""
    address = POINTS_ADDRESS + 4 * (level - 1)
    return Register(f"{_POINT}{level}", address, POINT, 4, 1, "W, GH/s", 0, 0xFFFF_FFFF, READ)


def values_of(hello: dict[str, object], state: dict[str, object]) -> dict[str, object]:
    """The named values of a rig's registers, from the two messages it would send."""
    return identity_of(hello) | state


def identity_of(hello: dict[str, object]) -> dict[str, object]:
    """Who the rig is, and its operating points."""
    values = dict(hello)
    values["map"] = MAP_VERSION
    points: list[list[int]] = hello["points"]  # type: ignore[assignment]
    for level in range(POINTS_MAX):
        values[f"{_POINT}{level + 1}"] = tuple(points[level]) if level < len(points) else (0, 0)
    return values


def encode(name: str, value: object) -> list[int]:
    """A named value as its 16-bit words."""
    register = find(name)
    _check(register, value)
    if register.kind == TEXT:
        return _text_words(register, value)  # type: ignore[arg-type]
    if register.kind == POINT:
        return _words(value[0], 2) + _words(value[1], 2)  # type: ignore[index]
    number = STATES.index(value) if register.kind == NAME else value // register.scale
    return _words(number, register.words)


def decode(name: str, words: list[int]) -> object:
    """The value in a register's words.  Raises RegisterError and nothing else."""
    register = find(name)
    if len(words) != register.words:
        raise RegisterError(NO_REGISTER, f"{name}: {register.words} words, not {len(words)}")
    for word in words:
        if type(word) is not int or not 0 <= word <= 0xFFFF:
            raise RegisterError(NO_VALUE, f"{name}: {word!r} is not 16 bits")
    value = _decoded(register, words)
    _check(register, value)
    return value


def answer(values: dict[str, object], address: int, count: int) -> list[int]:
    """A rig's answer to a read of whole registers; values as from values_of."""
    words: list[int] = []
    for register in _span(address, count):
        words += encode(register.name, values[register.name])
    return words


def named(address: int, words: list[int]) -> dict[str, object]:
    """The values in the answer to a read, by name."""
    values, at = {}, 0
    for register in _span(address, len(words)):
        values[register.name] = decode(register.name, words[at : at + register.words])
        at += register.words
    return values


def written(address: int, words: list[int]) -> dict[str, object]:
    """The values of a write, at the rig.  A limit without its time to live is refused."""
    for register in _span(address, len(words)):
        if register.access != WRITE:
            raise RegisterError(NO_REGISTER, f"{register.name}: can only be read")
    values = named(address, words)
    for name in LIMIT:
        if name not in values and "ask" not in values:
            raise RegisterError(NO_REGISTER, f"{name}: write {' and '.join(LIMIT)} together")
    return values


def limit_words(limit_w: int, ttl_ms: int) -> list[int]:
    """What the supervisor writes at LIMIT_ADDRESS, in one request."""
    return encode("limit_w", limit_w) + encode("ttl_ms", ttl_ms)


def _span(address: int, count: int) -> list[Register]:
    """The registers in exactly these words; none cut, no gap."""
    registers, end = [], address + count
    while address < end:
        register = _at(address)
        address += register.words
        registers.append(register)
    if address != end or not registers:
        raise RegisterError(NO_REGISTER, f"{address}: a register is read and written whole")
    return registers


def _check(register: Register, value: object) -> None:
    """value is of the register's kind and in its range, or RegisterError."""
    name, kind = register.name, register.kind
    if kind == NAME:
        if value not in STATES:
            raise RegisterError(NO_VALUE, f"{name}: {value!r} is none of {', '.join(STATES)}")
        return
    if kind == TEXT:
        good, numbers = isinstance(value, str), (len(value) if isinstance(value, str) else 0,)
    elif kind == POINT:
        good = isinstance(value, (tuple, list)) and len(value) == 2
        numbers = tuple(value) if good else ()  # type: ignore
    else:
        good, numbers = True, (value,)  # type: ignore
    for number in numbers:
        good = good and type(number) is int and register.low <= number <= register.high
    if not good:
        raise RegisterError(NO_VALUE, f"{name}: {value!r}, from {register.low} to {register.high}")


def _decoded(register: Register, words: list[int]) -> object:
    if register.kind == TEXT:
        return _text(register, words)
    if register.kind == POINT:
        return (words[0] << 16 | words[1], words[2] << 16 | words[3])
    number = words[0] if register.words == 1 else words[0] << 16 | words[1]
    if register.kind == NAME:
        return STATES[number] if number < len(STATES) else number
    if register.kind == I16 and number & 0x8000:
        number -= 0x1_0000
    return number * register.scale


def _words(number: int, words: int) -> list[int]:
    return [number & 0xFFFF] if words == 1 else [number >> 16, number & 0xFFFF]


def _text_words(register: Register, text: str) -> list[int]:
    raw = text.encode()
    if len(raw) > 2 * register.words:
        raise RegisterError(NO_VALUE, f"{register.name}: {len(raw)} bytes of UTF-8")
    raw += b"\0" * (2 * register.words - len(raw))
    return [raw[at] << 8 | raw[at + 1] for at in range(0, len(raw), 2)]


def _text(register: Register, words: list[int]) -> str:
    raw = b"".join(bytes((word >> 8, word & 0xFF)) for word in words).rstrip(b"\0")
    try:
        return raw.decode()
    except ValueError:
        raise RegisterError(NO_VALUE, f"{register.name}: not UTF-8") from None
