"""What `--accuracy` is asked for, and the table of what was tried."""

from rich.table import Table
from rich.text import Text

from snncc.cli import console
from snncc.search import Goal, Search
from snncc.words import percent
from snncc_ir import fail


def goal(accuracy: float | None, prefer: str | None, confidence: float | None) -> Goal | None:
    """Of the options; raises SNN042 when some are given without --accuracy."""
    given = {
        key: value
        for key, value in (("prefer", prefer), ("confidence", confidence))
        if value is not None
    }
    if accuracy is None:
        if given:
            name = next(iter(given))
            raise fail(
                "SNN042",
                f"--{name} is given without --accuracy, should be with it",
                hint=f"--accuracy 0.5 with it, or leave --{name} out",
            )
        return None
    return Goal(accuracy, **given)  # type: ignore[arg-type]


def show_search(found: Search) -> None:
    """Every trial, in order; the chosen one marked."""
    study, wanted = found.study, found.goal
    what = "agreement" if study.labels is None else "accuracy"
    where = "held out of the calibration samples" if study.held_out else "of --data"
    console.out.print(
        f"{len(found.trials)} settings, each calibrated on {study.fitted} samples and measured on "
        f"{study.count} others, {where}"
    )
    if study.float_accuracy is not None:
        console.out.print(f"float accuracy {percent(study.float_accuracy)}")
    table = Table()
    table.add_column("")
    table.add_column("settings", overflow="fold")
    for heading in ("steps", "accuracy", "agreement", "lost points", "at most", "spikes"):
        table.add_column(heading, justify="right")
    table.add_column("syn. operations", justify="right")
    if any(trial.figures and trial.figures.microjoules is not None for trial in found.trials):
        table.add_column("µJ", justify="right")
    for trial in found.trials:
        mark = "➜" if trial is found.chosen else "✓" if wanted.kept(trial) else ""
        figures = trial.figures
        if figures is None:
            table.add_row(mark, Text(f"{trial.candidate}\n{trial.error}"), *["–"] * 6)
            continue
        table.add_row(
            mark,
            Text(str(trial.candidate)),
            str(figures.latency),
            percent(None if figures.accuracy is None else figures.accuracy.value),
            percent(figures.agreement.value),
            f"{100 * figures.lost.lost:.2f}",
            f"{wanted.bound(figures):.2f}",
            f"{figures.spikes:.0f}",
            "–" if figures.operations is None else f"{figures.operations:.0f}",
            *([] if figures.microjoules is None else [f"{figures.microjoules:.1f}"]),
        )
    console.out.print(table)
    console.out.print(
        f"✓ loses at most {wanted.accuracy:g} points of {what}, with {wanted.confidence:g} % "
        f"confidence; ➜ chosen: the one of least {wanted.prefer}"
    )


def notes(found: Search) -> list[str]:
    """What the user should know of the samples."""
    said = []
    if found.study.labels is None:
        said.append(
            "the samples have no classes 'y', so what counts is agreement with the float network"
        )
    elif found.study.float_accuracy == 1:
        said.append(
            "the float network has all of these samples right, as a network has those that it was "
            "trained on; on others it may lose more. Give some of those with --data"
        )
    return said
