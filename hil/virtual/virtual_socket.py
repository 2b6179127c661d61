"""The socket module in virtual time: TCP and UDP over the link, to what the bench puts there.

Numeric addresses only, and no names: a lookup would block on the chip too.
"""

import io
import struct

import lockstep
import wire

AF_INET, SOCK_STREAM, SOCK_DGRAM = 2, 1, 2
SOL_SOCKET, SO_REUSEADDR, SO_KEEPALIVE = 1, 2, 9
EAGAIN, EINPROGRESS, ENOTCONN, ETIMEDOUT, EBADF = 11, 115, 107, 110, 9
SEND_BUFFER = 5760  # of lwIP on the ESP32
_POLL, _CLOSE = 3, 4
_POLL_IN, _POLL_OUT, _POLL_ERR, _POLL_HUP, _POLL_NVAL = 1, 4, 8, 16, 32
_WAIT_US = 10_000  # a blocking call looks so often

_sockets = {}


class socket(io.IOBase):
    def __init__(self, af=AF_INET, type=SOCK_STREAM, proto=0) -> None:
        if type not in (SOCK_STREAM, SOCK_DGRAM):
            raise NotImplementedError("the bench carries TCP and UDP")
        self._to = None  # of a datagram socket
        self._datagrams = [] if type == SOCK_DGRAM else None
        self._number = _free()
        _sockets[self._number] = self
        self._timeout_us = None  # None blocks, 0 does not
        self._open = self._asked = False
        self._error = None  # of the connection; 0: closed by the other side
        self._heard = b""
        self._unacked = 0

    def setblocking(self, flag) -> None:
        self._timeout_us = None if flag else 0

    def settimeout(self, seconds) -> None:
        self._timeout_us = None if seconds is None else int(seconds * 1_000_000)

    def setsockopt(self, *args) -> None:
        pass

    def connect(self, address) -> None:
        host, port = address
        if self._datagrams is not None:
            self._to = struct.pack("<HB", port, len(host)) + host.encode()
            return
        self._asked = True
        lockstep.send(wire.SOCKET_CONNECT, self._number, struct.pack("<H", port) + host.encode())
        if self._timeout_us == 0:
            raise OSError(EINPROGRESS)
        self._until(lambda: self._open)

    def send(self, data) -> int:
        if self._to is not None:
            lockstep.send(wire.UDP_SEND, self._number, self._to + bytes(data))
            return len(data)
        self._check()
        room = SEND_BUFFER - self._unacked
        if room <= 0 and self._timeout_us != 0:
            self._until(lambda: self._unacked < SEND_BUFFER)
            room = SEND_BUFFER - self._unacked
        if room <= 0:
            raise OSError(EAGAIN)
        data = bytes(data[:room])
        for at in range(0, len(data), wire.PAYLOAD_MAX):
            part = data[at : at + wire.PAYLOAD_MAX]
            lockstep.send(wire.SOCKET_SEND, self._number, part)
        self._unacked += len(data)
        return len(data)

    def sendall(self, data) -> None:
        while data:
            data = data[self.send(data) :]

    def recv(self, size: int) -> bytes:
        if self._datagrams is not None:
            if not self._datagrams:
                raise OSError(EAGAIN)  # nobody here waits for one
            return self._datagrams.pop(0)[:size]
        if not self._heard and self._error is None:
            if self._timeout_us == 0:
                raise OSError(EAGAIN)
            self._until(lambda: self._heard)
        if not self._heard and self._error:
            raise OSError(self._error)
        data, self._heard = self._heard[:size], self._heard[size:]
        return data

    # as a stream: None where a socket would say EAGAIN

    def read(self, size: int = -1):
        try:
            return self.recv(len(self._heard) if size < 0 else size)
        except OSError as error:
            if error.errno == EAGAIN:
                return None
            raise

    def readinto(self, buffer, size: int = -1):
        data = self.read(len(buffer) if size < 0 else min(size, len(buffer)))
        if data is None:
            return None
        buffer[: len(data)] = data
        return len(data)

    def readline(self):
        end = self._heard.find(b"\n") + 1
        if end or self._error is not None:
            return self.recv(end or len(self._heard))
        return None

    def write(self, data):
        try:
            return self.send(data)
        except OSError as error:
            if error.errno == EAGAIN:
                return None
            raise

    def makefile(self, *args):
        return self

    def close(self) -> None:
        if _sockets.pop(self._number, None) is not None:
            lockstep.send(wire.SOCKET_CLOSE, self._number)
            self._open, self._error = False, EBADF

    def ioctl(self, request: int, flags: int) -> int:
        """select.poll and asyncio streams ask through here."""
        if request == _CLOSE:
            self.close()
            return 0
        if request != _POLL:
            return -22  # EINVAL; 0 to "which file" would be the host's stdin
        if self._error == EBADF:
            return _POLL_NVAL
        ready = 0
        if flags & _POLL_IN and (self._heard or self._error is not None):
            ready |= _POLL_IN
        if flags & _POLL_OUT and self._open and self._unacked < SEND_BUFFER:
            ready |= _POLL_OUT
        if self._error:
            ready |= _POLL_ERR | _POLL_HUP
        return ready

    def _check(self) -> None:
        if self._error is not None:
            raise OSError(self._error or ENOTCONN)
        if not self._open:
            raise OSError(ENOTCONN)

    def _until(self, true) -> None:
        left_us = self._timeout_us
        while not true():
            if self._error:
                raise OSError(self._error)
            if self._error == 0:
                return
            if left_us is not None and left_us <= 0:
                raise OSError(ETIMEDOUT)
            lockstep.wait(_WAIT_US)
            left_us = None if left_us is None else left_us - _WAIT_US


def getaddrinfo(host, port, af=0, type=0, proto=0, flags=0) -> list:
    if not all(part.isdigit() for part in host.split(".")):
        raise OSError(-2)
    return [(AF_INET, SOCK_STREAM, 0, "", (host, port))]


def _free() -> int:
    for number in range(1, 17):  # lwIP on the ESP32 has 16
        if number not in _sockets:
            return number
    raise OSError(23)  # ENFILE


def _opened(number: int, _payload: bytes) -> None:
    if number in _sockets:
        _sockets[number]._open = True


def _hear(number: int, payload: bytes) -> None:
    if number in _sockets:
        one = _sockets[number]
        if one._datagrams is None:
            one._heard += payload
        else:
            one._datagrams.append(payload)


def _sent(number: int, payload: bytes) -> None:
    if number in _sockets:
        _sockets[number]._unacked -= struct.unpack("<I", payload)[0]


def _over(number: int, payload: bytes) -> None:
    if number in _sockets:
        _sockets[number]._error = struct.unpack("<H", payload)[0]


for _op, _ear in (
    (wire.SOCKET_OPEN, _opened),
    (wire.SOCKET_DATA, _hear),
    (wire.SOCKET_SENT, _sent),
    (wire.SOCKET_OVER, _over),
):
    lockstep.on(_op, _ear)
