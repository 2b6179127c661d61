"""Runs under pytest, and under MicroPython by tests/on_micropython.py.

The EEPROM was read from a board of an S19 Pro.
"""

from protocols import identity
from protocols.identity import Identity, IdentityError

RAW = bytes.fromhex(
    "114A5F13AAC8548811AE33C08221E396D60365637063F5E62CEBD9DF23F1F5603BD40BE2EDA0504889CB77C3EB64"
    "9763EBBF8CFD278633C47399526B6E296DD8D6DF2449D5924D306812"
)
BOARD = Identity(
    "NGSBYI3BBJEAJ8194", "ED", "H13T22AT43", 4, 0x011E, 0x0100, "BB", 12_600, 525, 9998
)


def refusal(data):
    try:
        identity.decoded(data)
    except IdentityError as error:
        return str(error)
    raise AssertionError("taken")


def test_a_real_board_says_what_the_stock_program_printed_of_it():
    assert identity.decoded(RAW) == BOARD
    assert identity.decoded(RAW + b"\xff" * 181 + b"\x5a") == BOARD


def test_the_plain_text_is_the_recorded_one():
    plain = identity.deciphered(RAW[2:])
    assert plain[0] == 3 and plain[34:43] == b"F1V04B1C1" and plain[62:64] == bytes((35, 50))
    assert identity.enciphered(plain) == RAW[2:]


def test_what_is_written_is_read_again():
    whole = identity.encoded(BOARD)
    assert len(whole) == 256 and whole[:2] == RAW[:2] and whole[-2:] == b"\xff\x5a"
    assert identity.decoded(whole) == BOARD


def test_an_eeprom_that_cannot_be_read_says_why():
    assert "format 0411" in refusal(b"\x04\x11" + bytes(254))
    assert "only 11 is known" in refusal(b"")
    assert "80 bytes" in refusal(b"\x11\x50" + bytes(254))
    assert "40 bytes of 74" in refusal(RAW[:40])
    assert "another key" in refusal(RAW[:10] + b"\0" + RAW[11:])
    assert "another key" in refusal(b"\x11\x4a" + b"\xff" * 254)


def test_the_short_form_tells_who_and_not_how_fast():
    plain = identity.deciphered(RAW[2:])[:64]
    board = identity.decoded(b"\x11\x42" + identity.enciphered(plain))
    assert board.serial == BOARD.serial and board.pcb == BOARD.pcb
    assert board.mv == 0 and board.mhz == 0
