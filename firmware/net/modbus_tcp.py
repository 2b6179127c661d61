"""Modbus over TCP, where the rig has IP: few masters at a time, none of them for ever.

No frame grows beyond what Modbus allows, and a master that is silent is hung up on.
"""

import asyncio

from protocols import modbus

MASTERS_MAX = 2
SILENT_S = 60
STEP_S = 5  # deadline of an answer's way out


class Server:
    """device as of protocols.modbus.answer."""

    def __init__(self, port: int, device) -> None:
        self._port, self._device = port, device
        self._masters = 0

    async def run(self) -> None:
        """For ever; it ends only when the port cannot be had."""
        server = await asyncio.start_server(self._serve, "0.0.0.0", self._port, backlog=2)
        await server.wait_closed()

    async def _serve(self, reader, writer) -> None:
        self._masters += 1
        try:
            if self._masters <= MASTERS_MAX:
                await self._converse(reader, writer)
        except (OSError, EOFError, asyncio.TimeoutError, modbus.FrameError):
            pass  # a master that went away, forgot us, or lost its place
        finally:
            self._masters -= 1
            writer.close()

    async def _converse(self, reader, writer) -> None:
        heard = b""
        while True:
            request = modbus.tcp_request(heard)
            if request is None:
                data = await asyncio.wait_for(reader.read(modbus.TCP_MAX), SILENT_S)
                if not data:
                    return
                heard += data
                continue
            head, pdu, size = request
            heard = heard[size:]
            writer.write(modbus.tcp(head, modbus.answer(pdu, self._device)))
            await asyncio.wait_for(writer.drain(), STEP_S)
