"""A played story as a file, and playing it again: same story, same seed, same code, same trace.

JSON lines: what was played, then the samples and the timeline.  Nothing of the clock on
the wall is in it, so that two runs can be compared byte for byte.
"""

import json
from pathlib import Path

from hil.story import StoryError
from hil.story_play import Line, Run

VERSION = 1


def text(run: Run, source: str) -> str:
    """The whole trace.  source: the story's TOML."""
    head = {
        "surplus trace": VERSION,
        "story": run.name,
        "seed": run.seed,
        "verdict": run.verdict,
        "because": run.because,
        "toml": source,
    }
    rows: list[object] = [head, ["at_s", *run.columns]]
    rows += [[_rounded(value) for value in row] for row in run.samples]
    rows += [{"at_s": line.at_s, "kind": line.kind, "text": line.text} for line in run.timeline]
    return "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)


def save(run: Run, source: str, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{run.name}-{run.seed}.trace"
    path.write_text(text(run, source))
    return path


def head(path: Path) -> tuple[str, int, str]:
    """(story, seed, TOML) of a saved trace.  Raises StoryError."""
    try:
        with path.open() as file:
            said = json.loads(file.readline())
        if said["surplus trace"] != VERSION:
            raise StoryError(f"{path}: of version {said['surplus trace']}; this is {VERSION}")
        return said["story"], said["seed"], said["toml"]
    except OSError as error:
        raise StoryError(f"{path}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError):
        raise StoryError(f"{path}: not a trace; `surplus hil run` saves one") from None


def difference(saved: str, again: str) -> str:
    """Where two traces part, for a person; "" when they are the same."""
    old, new = saved.splitlines(), again.splitlines()
    for number, (one, other) in enumerate(zip(old, new, strict=False), 1):
        if one != other:
            return (
                f"line {number}: was {one[:200]}\n{' ' * len(str(number))}      is  {other[:200]}"
            )
    if len(old) != len(new):
        return f"{len(old)} lines before, {len(new)} now"
    return ""


def timeline(run: Run) -> str:
    """What was done, what was seen, what was expected and when: for a person."""
    marks = {"did": ">", "saw": " ", "met": "+", "missed": "!"}
    return "\n".join(_told(line, marks[line.kind]) for line in run.timeline)


def _told(line: Line, mark: str) -> str:
    return f"  {line.at_s:9.1f} s {mark} {line.text}"


def _rounded(value: object) -> object:
    return round(value, 4) if isinstance(value, float) else value
