"""Questions and answers of SNTP: the era, what is refused; both runtimes."""

from protocols import sntp
from protocols.sntp import SntpError, question, unix_ms

NONCE = b"12345678"


def answer(first=0x24, stratum=2, nonce=NONCE, seconds=3_987_654_321, fraction=0x8000_0000):
    head = bytes((first, stratum)) + bytes(22) + nonce + bytes(8)
    return head + seconds.to_bytes(4, "big") + fraction.to_bytes(4, "big")


def refused(data):
    try:
        unix_ms(NONCE, data, 0)
    except SntpError as error:
        return str(error)
    return ""


def test_the_question():
    asked = question(NONCE)
    assert len(asked) == sntp.SIZE and asked[0] == 0b00_100_011 and asked[40:] == NONCE
    assert asked[1:40] == bytes(39), "not our own time, nor since when we run"


def test_the_time_is_that_of_the_answer_and_half_the_way():
    assert unix_ms(NONCE, answer(), 80) == (3_987_654_321 - 2_208_988_800) * 1000 + 500 + 40


def test_the_seconds_begin_anew_in_2036():
    assert unix_ms(NONCE, answer(seconds=10, fraction=0), 0) == 2_085_978_506_000


def test_what_is_not_to_be_believed():
    assert refused(answer(nonce=b"87654321")) == "not an answer to this question"
    assert refused(answer(first=0x23)) == "not an answer to this question"
    assert refused(answer(first=0xE4)) == "the server does not know the time itself"
    assert refused(answer(stratum=0)) == "the server does not know the time itself"
    assert refused(answer(stratum=16)) == "the server does not know the time itself"
    assert refused(answer(seconds=0)) == "no time in it"
    for size in range(sntp.SIZE):
        assert refused(answer()[:size]) == "too short"
