"""surplus hil run and surplus hil list: stories of faults, played on the bench."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from supervisor import commands

if TYPE_CHECKING:
    from hil.story_play import Run

ALL = "all"
TRACES = Path("surplus-traces")
SPEEDS = ("fast", "real")


def run(
    stories: Annotated[
        list[str] | None, typer.Argument(metavar="STORY...", help="names, files, or all")
    ] = None,
    seed: Annotated[int, typer.Option(help="chooses what a story leaves open")] = 0,
    speed: Annotated[str, typer.Option(help="fast, or real: one second a second")] = "fast",
    report: Annotated[
        Path | None, typer.Option(metavar="DIR", help="write stories.html and junit.xml there")
    ] = None,
    replay: Annotated[
        Path | None, typer.Option(metavar="FILE", help="play a saved trace again and compare")
    ] = None,
    as_json: commands.AsJson = False,
) -> None:
    """Play stories; 0 when all end as they should, 1 when one does not."""
    from hil.rig import NoMicroPython
    from hil.story import StoryError

    try:
        if speed not in SPEEDS:
            raise StoryError(f"--speed {speed}: one of {', '.join(SPEEDS)}")
        if replay:
            right = _replay(replay)
        else:
            right = _run(named(stories or []), seed, speed, report, as_json)
    except (StoryError, NoMicroPython, OSError) as error:
        commands.remark(f"surplus hil run: {error}")
        raise typer.Exit(commands.BAD_CALL) from None
    if not right:
        raise typer.Exit(commands.WRONG)


def list_(as_json: commands.AsJson = False) -> None:
    """The stories there are."""
    from hil import story

    told = [(name, story.load(story.find(name))) for name in story.names()]
    if as_json:
        commands.show_json(
            [
                {"name": n, "title": s.title, "on": s.on, "field": s.field, "slow": s.slow}
                | {"expected_failure": s.expected_failure}
                for n, s in told
            ]
        )
        return
    for name, each in told:
        number = f"{each.field:3}" if each.field else "   "
        known = "  (expected to fail)" if each.expected_failure else ""
        typer.echo(f"{name:32} {each.on:5}{number}  {each.title}{known}")


def named(stories: list[str]) -> list[str]:
    """Raises StoryError when none is named."""
    from hil import story

    if not stories:
        raise story.StoryError(f"no story named; `surplus hil list` has them, or say {ALL}")
    return story.names() if stories == [ALL] else stories


def _run(stories: list[str], seed: int, speed: str, report: Path | None, as_json: bool) -> bool:
    from hil import story_run

    sources = [(name, story_run.source(name)) for name in stories]
    for name, toml in sources:
        story_run.checked(name, toml, seed)  # all of them before the first is played
    runs = []
    for name, toml in sources:
        runs.append(story_run.played(name, toml, seed, speed))
        if not as_json:
            _tell(runs[-1], toml, report or TRACES)
    if as_json:
        commands.show_json([_row(run) for run in runs])
    if report:
        _write(runs, report)
    return all(run.right for run in runs)


def _tell(run: "Run", toml: str, folder: Path) -> None:
    from hil import story_trace

    typer.echo(f"{run.verdict:17} {run.name}  {run.virtual_s:.0f} s in {run.wall_s:.1f} s")
    if run.right:
        return
    typer.echo(f"  {run.because or run.story.expected_failure}")
    typer.echo(story_trace.timeline(run))
    if run.log:
        typer.echo(
            "  its console, the end of it:\n    " + "\n    ".join(run.log.splitlines()[-15:])
        )
    path = story_trace.save(run, toml, folder)
    commands.remark(f"saved {path}; `surplus hil run --replay {path}` plays it again")


def _replay(path: Path) -> bool:
    from hil import story_run, story_trace

    run, difference = story_run.replayed(path)
    typer.echo(story_trace.timeline(run))
    typer.echo(f"{run.verdict} {run.name}: {run.because}" if run.because else run.verdict)
    typer.echo(f"not the same as before\n{difference}" if difference else "the same as before")
    return not difference


def _write(runs: list["Run"], folder: Path) -> None:
    from hil.report_html import page
    from hil.report_junit import junit

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "stories.html").write_text(page(runs))
    (folder / "junit.xml").write_text(junit(runs))
    commands.remark(f"wrote {folder / 'stories.html'} and {folder / 'junit.xml'}")


def _row(run: "Run") -> dict[str, object]:
    return {
        "story": run.name,
        "seed": run.seed,
        "verdict": run.verdict,
        "because": run.because,
        "virtual_s": round(run.virtual_s, 1),
        "wall_s": round(run.wall_s, 2),
    }
