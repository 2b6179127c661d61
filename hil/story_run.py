"""Runs stories by name: makes the stage, plays, closes, whatever happens in between."""

import traceback
from pathlib import Path

from hil import story_trace
from hil.rig import NoMicroPython
from hil.story import Story, StoryError, find, parse
from hil.story_play import BROKEN, Player, Run, Stage, understood


def source(name: str) -> str:
    """The TOML of a story.  Raises StoryError."""
    path = find(name)
    try:
        return path.read_text()
    except OSError as error:
        raise StoryError(f"{path}: {error.strerror}") from None


def checked(name: str, toml: str, seed: int) -> Story:
    """The story, every sentence of it understood.  Raises StoryError."""
    story = parse(toml, name, seed)
    understood(name, story)
    return story


def played(name: str, toml: str, seed: int, speed: str = "fast") -> Run:
    """One story from beginning to end.  Raises StoryError and NoMicroPython."""
    name = Path(name).stem
    story = checked(name, toml, seed)
    run = Run(name, story, seed)
    stage: Stage | None = None
    try:
        stage = _stage(story, seed, speed)
        player = Player(name, story, seed, stage)
        run = player.run
        return player.play()
    except NoMicroPython:
        raise
    except Exception as error:  # a bench that breaks is a result like others, and is told
        run.verdict, run.because = BROKEN, f"{type(error).__name__}: {error}"
        run.log = traceback.format_exc() + (stage.log() if stage else "")
        return run
    finally:
        if stage:
            stage.close()


def replayed(path: Path) -> tuple[Run, str]:
    """A saved trace played again, and where the two part ("" when they do not)."""
    name, seed, toml = story_trace.head(path)
    run = played(name, toml, seed)
    return run, story_trace.difference(path.read_text(), story_trace.text(run, toml))


def _stage(story: Story, seed: int, speed: str) -> Stage:
    if story.on == "site":
        from hil.story_site import SiteStage

        return SiteStage(story, seed)
    from hil.story_rig import RigStage

    return RigStage(story, seed, speed)
