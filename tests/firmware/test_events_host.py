"""Files of events with anything in them: nothing is raised, and the next event is kept."""

import binascii

from hypothesis import given
from hypothesis import strategies as st

from firmware.events import Events


def line(body):
    return b"%08x" % binascii.crc32(body) + body + b"\n"


# whole lines of nonsense as well: a checksum says nothing about what is meant
LINES = st.one_of(
    st.binary(max_size=60),
    st.binary(max_size=30).map(line),
    st.sampled_from([b"", b"[]", b"[1]", b"[1,2]", b"[9,3]", b'["a",2]', b"{}", b"7", b"null"]).map(
        line
    ),
    st.just(line(b'{"event":5,"up_ms":1,"code":"x","text":"y","v":1}')),
)
FILES = st.lists(LINES, max_size=8).map(b"".join)


@given(FILES, FILES)
def test_whatever_the_files_hold(tmp_path_factory, one, other):
    folder = tmp_path_factory.mktemp("flash")
    paths = (str(folder / "1"), str(folder / "2"))
    for path, data in zip(paths, (one, other)):
        with open(path, "wb") as file:
            file.write(data)
    events = Events(paths)
    before = events.newest
    events.add("start", "text", 0)
    assert events.newest == before + 1
    again = Events(paths)
    assert again.newest > before and again.after(before)[0] == before + 1
