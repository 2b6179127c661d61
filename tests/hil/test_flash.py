"""surplus flash, esptool's calls, and who pulls the plug."""

import asyncio
import json
import threading

import pytest
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice
from typer.testing import CliRunner

from hil.boards import files, image, mains
from hil.boards.serial_board import BoardError
from hil.boards.terminal_rig import TerminalRig
from hil.certificates import Authority, broker_files, rig_files
from hil.rig import settings
from supervisor.cli import build

CONFIG = settings("bench", "desk", "127.0.0.1", 1883, bytes(32))


def call(*words):
    return CliRunner().invoke(build(), ["flash", *words])


@pytest.mark.real_time
def test_flash_puts_all_files_and_settings_and_starts_the_board(tmp_path):
    given = tmp_path / "settings.json"
    given.write_text(json.dumps({**CONFIG, "rig": "new-name"}))
    with TerminalRig(tmp_path / "flash", CONFIG) as desk:
        done = call(desk.port, "--settings", str(given))
        assert done.exit_code == 0, done.output
        assert "files copied, started" in done.stdout
        assert json.loads((desk.flash / "settings.json").read_text())["rig"] == "new-name"
        assert "firmware.main" in (desk.flash / "main.py").read_text()
        again = call(desk.port, "--settings", str(given))
        assert again.stdout.startswith(f"{desk.port}: 1 of "), "main.py goes while files are copied"


@pytest.mark.real_time
def test_flash_says_what_the_firmware_says_of_wrong_settings(tmp_path):
    given = tmp_path / "settings.json"
    given.write_text(json.dumps({**CONFIG, "bord": "s21pro"}))
    with TerminalRig(tmp_path / "flash", CONFIG) as desk:
        done = call(desk.port, "--settings", str(given))
    assert done.exit_code == 1
    assert "settings.json: bord: no such setting" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["/dev/no-such-port"], 1, "/dev/no-such-port: cannot be opened"),
        (["/dev/null", "--erase"], 2, "give --image too"),
        (["/dev/null", "--image", "no.bin"], 1, "no.bin: no such file"),
        (
            ["/dev/null", "--image", "no.bin", "--chip", "esp99"],
            2,
            "no chip 'esp99'; there are esp32",
        ),
        (["/dev/null", "--settings", "no.json"], 2, "no.json: No such file"),
    ],
)
def test_a_bad_call_is_told(words, code, said):
    done = call(*words)
    assert (done.exit_code, said in done.stderr) == (code, True), done.stderr


def test_what_esptool_is_asked(tmp_path):
    file = tmp_path / "m.bin"
    common = ["--chip", "esp32s3", "--port", "/dev/x", "--baud", "460800"]
    write = [*common, "write-flash", "0x0", str(file)]
    assert image.calls("/dev/x", "esp32s3", file, erase=False) == [write]
    assert image.calls("/dev/x", "esp32s3", file, erase=True) == [[*common, "erase-flash"], write]
    assert image.calls("/dev/x", "esp32", file, erase=False)[0][-2] == "0x1000"


@pytest.fixture
def relay_port():
    """A relay card with eight coils, which is a Modbus server that is not ours."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, daemon=True).start()

    async def serve():
        coils = SimData(0, count=8, values=False, datatype=DataType.BITS)
        words = SimData(0, count=1, values=0, datatype=DataType.REGISTERS)
        device = SimDevice(7, simdata=([coils], [coils], [words], [words]))
        server = ModbusTcpServer(device, address=("127.0.0.1", 0))
        await server.serve_forever(background=True)
        return server

    server = asyncio.run_coroutine_threadsafe(serve(), loop).result(5)
    yield server.transport.sockets[0].getsockname()[1]
    asyncio.run_coroutine_threadsafe(server.shutdown(), loop).result(5)
    loop.call_soon_threadsafe(loop.stop)


def test_a_modbus_relay_switches_and_is_read_back(relay_port):
    plug = mains.of(f"modbus:127.0.0.1:{relay_port}/3@7")
    for on in (False, True, False):
        plug.switch(on)
    with pytest.raises(BoardError, match="did not switch"):
        mains.of(f"modbus:127.0.0.1:{relay_port}/99@7").switch(True)


def test_a_relay_that_is_not_there():
    with pytest.raises(BoardError, match="no connection"):
        mains.of("modbus:127.0.0.1:1/0").switch(True)


def test_a_person_is_asked_in_words_and_missed_when_nobody_is_there():
    said = []
    person = mains.Person(lambda text: said.append(text) or "")
    person.switch(False)
    person.switch(True)
    assert "Pull the board's plug" in said[0] and "Plug the board in" in said[1]

    def nobody(text):
        raise EOFError

    with pytest.raises(BoardError, match="run pytest with -s"):
        mains.Person(nobody).switch(True)


@pytest.mark.parametrize("text", ["", "modbus:", "modbus:host", "modbus:host/x", "serial:/dev/x/1"])
def test_what_is_no_plug_is_refused_with_the_form(text):
    with pytest.raises(ValueError, match="is no plug: ask, modbus:HOST"):
        mains.of(text)


def test_a_relay_on_a_serial_line_is_understood():
    plug = mains.of("modbus:/dev/ttyUSB1:19200/2@5")
    assert (plug._coil, plug._unit) == (2, 5)
    assert (
        plug._client.comm_params.baudrate == 19200
        and plug._client.comm_params.host == "/dev/ttyUSB1"
    )


def test_certificates_go_onto_the_board_as_micropython_reads_them(tmp_path):
    authority = Authority()
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    mine.mkdir()
    with pytest.raises(files.FilesError, match=r"ca\.pem: No such file"):
        files.of_rig(tls=mine)
    broker_files(mine, authority, "broker.site")
    assert [path for path in files.of_rig(tls=mine) if path.startswith("tls/")] == ["tls/ca.der"]
    (mine / "broker.pem").rename(mine / "rig.pem")
    (mine / "broker.key").rename(mine / "rig.key")
    plan = files.of_rig(tls=mine)
    rig_files(theirs, authority)
    assert plan["tls/ca.der"] == (theirs / "tls" / "ca.der").read_bytes()
    assert plan["tls/rig.der"][0] == plan["tls/rig-key.der"][0] == 0x30, "DER"
    (mine / "rig.key").write_text("secret")
    with pytest.raises(files.FilesError, match=r"rig\.key: no private key in PEM"):
        files.of_rig(tls=mine)
    (mine / "ca.pem").write_bytes(b"\0")
    with pytest.raises(files.FilesError, match=r"ca\.pem: no certificate in PEM"):
        files.of_rig(tls=mine)
