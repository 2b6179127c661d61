"""Events: numbered, in order, over reset and torn files, and the flash not worn; both runtimes."""

import os

from firmware import events
from firmware.events import KEPT_MAX, RESERVE, WRITE_MS, WRITES, Events
from protocols import messages

PATHS = ("test-events.1", "test-events.2")


def fresh():
    wipe()
    return Events(PATHS)


def wipe():
    for path in PATHS:
        try:
            os.remove(path)
        except OSError:
            pass


def told(one):
    """(number, text) of all that would be told."""
    found, at = [], 0
    while True:
        waiting = one.after(at)
        if waiting is None:
            return found
        at, body = waiting
        event = messages.decode("event", body)
        assert event["event"] == at
        found.append((at, event["text"]))


def content(path):
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def filled(one, count, text="number"):
    for number in range(count):
        one.add("fan-stopped", f"{text} {number}", 100 * number)


def test_kept_until_they_are_on_record():
    one = fresh()
    filled(one, 5)
    assert told(one) == [(number + 1, f"number {number}") for number in range(5)]
    one.record(3)
    assert [number for number, _ in told(one)] == [4, 5] and one.newest == 5
    one.record(9)
    assert told(one) == [] and one.newest == 5 and one.dropped == 0
    wipe()


def test_the_oldest_are_forgotten_first_and_counted():
    one = fresh()
    filled(one, KEPT_MAX + 8, "y" * 500)
    assert [number for number, _ in told(one)] == list(range(9, KEPT_MAX + 9))
    assert one.dropped == 8
    wipe()


def test_a_reset_loses_none_that_was_written_and_gives_no_number_twice():
    one = fresh()
    one.add("start", "first", 0)  # its number is taken on the flash at once, and it with it
    filled(one, 3)
    again = Events(PATHS)
    assert told(again) == [(1, "first")] and again.newest == RESERVE
    one.turn(events.BATCH_MS)
    again = Events(PATHS)
    assert [number for number, _ in told(again)] == [1, 2, 3, 4]
    again.add("start", "second", 0)
    assert again.newest == RESERVE + 1 and told(Events(PATHS))[-1] == (RESERVE + 1, "second")
    wipe()


def test_what_is_on_record_does_not_come_back_once_the_flash_knows():
    one = fresh()
    filled(one, 3)
    one.turn(1_000)
    one.record(2)
    one.turn(999)
    assert len(told(Events(PATHS))) == 3
    one.turn(1)
    assert [number for number, _ in told(Events(PATHS))] == [3]
    wipe()


def test_writes_are_few_whatever_happens():
    one = fresh()
    writes, before, hour_ms = 0, content(PATHS[0]) + content(PATHS[1]), 3_600_000
    for tenth in range(hour_ms // 100):
        if tenth % 600 == 0:
            one.add("hot", "again and again", tenth)
        one.record(one.newest - 2)
        one.turn(100)
        now = content(PATHS[0]) + content(PATHS[1]) if tenth % 10 == 9 else before
        writes, before = writes + (now != before), now
    assert 3 < writes <= 1 + WRITES + hour_ms // WRITE_MS
    # the last ones are there all the same, but for what waits for its turn
    assert Events(PATHS).newest >= one.newest
    wipe()


def test_files_stay_small_and_what_is_kept_moves_to_the_other():
    one = fresh()
    for round in range(60):
        filled(one, 4, f"round {round}")
        one.record(one.newest - 6)
        one.turn(WRITES * WRITE_MS)
    for path in PATHS:
        assert 0 < len(content(path)) < events.FILE_MAX + 4 * 400
    assert told(Events(PATHS)) == told(one) and len(told(one)) == 6
    wipe()


def test_torn_anywhere_the_rest_is_whole():
    one = fresh()
    filled(one, 3)
    one.turn(1_000)
    place = one._place
    before, at = content(PATHS[place]), told(one)
    filled(one, 2, "later")
    one.turn(WRITE_MS)
    after = content(PATHS[place])
    assert after.startswith(before) and len(after) > len(before)
    for size in range(len(before), len(after), 3):
        with open(PATHS[place], "wb") as file:
            file.write(after[:size])
        again = Events(PATHS)
        assert told(again)[:3] == at and again.newest >= 5, size
        again.add("start", "x", 0)
        assert again.newest > one.newest
        with open(PATHS[1 - place], "wb") as file:
            file.write(b"")
    wipe()


def test_the_newer_file_is_whole_whatever_becomes_of_a_write():
    """After a start, and after a file was full, the other one is written."""
    one = fresh()
    for number in range(6):
        one.add("start", "first" if number == 0 else "again", 0)
        newer, before = one._place, content(PATHS[one._place])
        one = Events(PATHS)
        assert one._place == newer
        one.add("start", "again", 0)
        assert content(PATHS[newer]) == before and one._place == 1 - newer
    for _ in range(2):  # there and back
        place = one._place
        while one._place == place:
            one.add("x", "y" * 190, 0)
            one.turn(WRITE_MS)
        assert Events(PATHS)._place == one._place
    with open(PATHS[place], "wb") as file:
        file.write(b"")
    assert told(Events(PATHS)) == told(one) and len(told(one)) > 6
    wipe()


def test_garbage_is_left_out():
    for garbage in (b"\xff" * 300, b"\n\n\n", b"00000000\n", b"{}\n", b"12345678[1,2]\n"):
        wipe()
        with open(PATHS[1], "wb") as file:
            file.write(garbage)
        one = Events(PATHS)
        assert told(one) == [] and one.newest == 0
        one.add("start", "x", 0)
        assert told(Events(PATHS)) == [(1, "x")], garbage
    wipe()


def test_a_flash_that_takes_nothing_is_counted_and_survived():
    one = Events(("no-such-folder/a", "no-such-folder/b"))
    filled(one, 3)
    one.turn(60_000)
    assert len(told(one)) == 3 and one.unwritten >= 1
