"""Questions and answers of DNS: a captured pair, what is refused; both runtimes."""

from protocols import dns
from protocols.dns import DnsError, addresses, question

NAME = "broker.hall-1.site"
ASKED = b"\x06broker\x06hall-1\x04site\x00\x00\x01\x00\x01"
A = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04"


def answer(*records, number=7, flags=0x8180, asked=ASKED, count=None):
    head = bytes((number >> 8, number & 255, flags >> 8, flags & 255, 0, 1, 0))
    return head + bytes((count or len(records), 0, 0, 0, 0)) + asked + b"".join(records)


def refused(data, number=7):
    try:
        addresses(number, NAME, data)
    except DnsError as error:
        return str(error)
    return ""


def test_the_question_is_that_of_the_specification():
    assert question(7, NAME) == b"\x00\x07\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00" + ASKED
    assert question(0xABCD, "site.")[:2] == b"\xab\xcd" and question(1, "site.") == question(
        1, "site"
    )


def test_one_address_or_several_and_an_alias_before_them():
    one = answer(A + b"\x0a\x00\x00\x01")
    assert addresses(7, NAME, one) == ["10.0.0.1"]
    alias = b"\xc0\x0c\x00\x05\x00\x01\x00\x00\x00\x3c\x00\x02\xc0\x13"
    several = answer(alias, A + b"\x0a\x00\x00\x01", A + b"\xc0\xa8\x01\xff")
    assert addresses(7, NAME, several) == ["10.0.0.1", "192.168.1.255"]


def test_servers_may_change_the_case_of_letters():
    assert addresses(7, NAME, answer(A + bytes(4), asked=ASKED.upper())) == ["0.0.0.0"]


def test_what_is_no_answer_is_refused_with_the_reason():
    good = answer(A + b"\x0a\x00\x00\x01")
    assert refused(good, number=8) == "not an answer to this question"
    assert refused(answer(flags=0x0100)) == "not an answer to this question"
    other = ASKED.replace(b"hall-1", b"hall-2")
    assert refused(answer(A + bytes(4), asked=other)) == "not an answer to this question"
    assert refused(answer(flags=0x8183)) == "no such name"
    assert refused(answer(flags=0x8182)) == "the server failed"
    assert refused(answer(flags=0x818B)) == "code 11"
    assert refused(answer()) == "no IPv4 address"
    assert refused(answer(flags=0x8380)) == "cut off"
    assert refused(answer(A + b"\x0a\x00", count=1)) == "a record beyond its end"
    assert refused(answer(b"\x40" + A + bytes(4))) == "a name beyond its end"
    assert refused(answer(b"\x40" + bytes(64) + A + bytes(4))) == "a name beyond its end"
    for size in range(len(good)):
        assert refused(good[:size]), size


def test_many_records_are_not_all_read():
    assert len(addresses(7, NAME, answer(*[A + bytes(4)] * 30))) == dns.ANSWERS_MAX
