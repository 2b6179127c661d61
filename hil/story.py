"""A story: one TOML file that says what befalls a rig or a site, and what must come of it.

Read from top to bottom it is a tale: the steps follow one another, each when all that the
one before expected has come true.  README.md shows how to write one.
"""

import random
import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from hil.story_words import WordError, nearest

STORIES = Path(__file__).parent / "stories"
WORST_S = 86_400.0
Text = Annotated[str, Meta(min_length=1)]
Lines = Text | list[Text]


class StoryError(ValueError):
    """A story that cannot be played; the text names the file, the key and what would be right."""


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table of a story."""


class Step(Part, frozen=True, kw_only=True):
    """wait, then do, then all that is expected must come true."""

    wait: str = ""
    do: Lines = []
    expect: Lines = []


class Rig(Part, frozen=True, kw_only=True):
    """What the story is played on, `on = "rig"`."""

    board: Literal["s21pro"] = "s21pro"
    ambient_c: Annotated[float, Meta(ge=-40, le=60)] | str = 25.0
    lease_s: Annotated[float, Meta(ge=1, le=600)] = 10.0
    settings: dict[str, str | int] = {}  # what its settings.json shall have otherwise


class Site(Part, frozen=True, kw_only=True):
    """What the story is played on, `on = "site"`."""

    rigs: Annotated[int, Meta(ge=1, le=5000)] = 100
    limit_mw: Annotated[float, Meta(gt=0, le=100)] = 0.4
    default_mw: Annotated[float, Meta(ge=0, le=100)] = 0.0
    up_ramp_mw_per_min: Annotated[float, Meta(gt=0)] = 1.0
    auxiliary_kw: Annotated[float, Meta(ge=0)] = 0.0
    fans: Annotated[int, Meta(ge=0, le=20)] = 0  # of the hall, under the supervisor's command
    silence_s: Annotated[float, Meta(ge=1)] = 60.0  # of the grid's word


class Range(Part, frozen=True, kw_only=True):
    """Anything from one number to another; whole when both are."""

    from_: float = msgspec.field(name="from")
    to: float


Vary = list[float | str] | Range


class Story(Part, frozen=True, kw_only=True):
    """field: its number in the list of faults seen in the field, where it is on it."""

    title: Text
    about: Text
    on: Literal["rig", "site"] = "rig"
    field: Annotated[int, Meta(ge=1, le=22)] | None = None
    slow: bool = False  # only in `make soak`
    expected_failure: str = ""
    rig: Rig = Rig()
    site: Site = Site()
    vary: dict[str, Vary] = {}
    never: Lines = []
    step: Annotated[list[Step], Meta(min_length=1)]


def load(path: Path, seed: int = 0) -> Story:
    """The story in that file, its {names} filled in for this seed.  Raises StoryError."""
    try:
        return parse(path.read_text(), path.name, seed)
    except OSError as error:
        raise StoryError(f"{path}: {error.strerror}") from None


def parse(text: str, name: str, seed: int = 0) -> Story:
    """A story from its text.  Raises StoryError."""
    try:
        story = msgspec.convert(tomllib.loads(text), Story)
    except tomllib.TOMLDecodeError as error:
        raise StoryError(f"{name}: {error}") from None
    except msgspec.ValidationError as error:
        raise StoryError(f"{name}: {_explained(str(error))}") from None
    try:
        return filled(story, f"{name}:{seed}")
    except WordError as error:
        raise StoryError(f"{name}: {error}") from None


def filled(story: Story, seed: str) -> Story:
    """Every {name} of `vary` put into the sentences.  The same seed, the same story."""
    chance = random.Random(seed)
    values = {name: _chosen(vary, chance) for name, vary in story.vary.items()}
    replace = msgspec.structs.replace
    steps = [
        Step(
            wait=_fill(step.wait, values),
            do=[_fill(line, values) for line in lines(step.do)],
            expect=[_fill(line, values) for line in lines(step.expect)],
        )
        for step in story.step
    ]
    ambient_c = float(_fill(str(story.rig.ambient_c), values))
    never = [_fill(line, values) for line in lines(story.never)]
    return replace(story, step=steps, never=never, rig=replace(story.rig, ambient_c=ambient_c))


def lines(said: Lines) -> list[str]:
    return [said] if isinstance(said, str) else said


def names(folder: Path = STORIES) -> list[str]:
    """Of all stories there are."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def find(name: str) -> Path:
    """A story by its name, or by its file.  Raises StoryError."""
    if (path := Path(name)).suffix == ".toml":
        return path
    if name in names():
        return STORIES / f"{name}.toml"
    raise StoryError(f'no story "{name}"; {nearest(name, names())}')


def _chosen(vary: Vary, chance: random.Random) -> str:
    if isinstance(vary, list):
        if not vary:
            raise WordError("vary: a list to choose from is empty")
        value = chance.choice(vary)
        return value if isinstance(value, str) else f"{value:g}"
    if not vary.from_ <= vary.to:
        raise WordError(f"vary: from {vary.from_:g} to {vary.to:g} is nothing")
    if vary.from_.is_integer() and vary.to.is_integer():
        return str(chance.randint(int(vary.from_), int(vary.to)))
    return f"{chance.uniform(vary.from_, vary.to):.3g}"


def _fill(line: str, values: dict[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        if found[1] not in values:
            raise WordError(f"{{{found[1]}}} is not in [vary]; {nearest(found[1], values)}")
        return values[found[1]]

    return re.sub(r"\{(\w+)\}", value, line)


def _explained(error: str) -> str:
    """msgspec's sentence, with the key in front and the nearest right one behind."""
    text, _, where = error.partition(" - at ")
    key = where.strip("`").removeprefix("$").lstrip(".") or "story"
    if found := re.search(r"unknown field `(.+?)`", text):
        return f"{key}: no key {found[1]!r}; {nearest(found[1], _keys(key))}"
    return f"{key}: {text}"


def _keys(where: str) -> list[str]:
    """The keys that a table of a story may have."""
    tables: dict[str, type[Part]] = {"step": Step, "rig": Rig, "site": Site, "vary": Range}
    table = tables.get(re.split(r"[.\[]", where)[0], Story)
    return [field.encode_name for field in msgspec.structs.fields(table)]
