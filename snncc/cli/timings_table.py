"""What `--timings` shows: seconds of each stage of a compilation."""

from collections.abc import Mapping

from rich.table import Table
from rich.text import Text

from snncc.cli import console


def timing_rows(timings: Mapping[str, float]) -> list[dict[str, object]]:
    """One row a stage, in order, for machines: `stage`, `seconds`, and `share` of all, 0 to 1."""
    total = sum(timings.values()) or 1.0
    return [
        {"stage": stage, "seconds": round(seconds, 3), "share": round(seconds / total, 4)}
        for stage, seconds in timings.items()
    ]


def show_timings(timings: Mapping[str, float]) -> None:
    """The same as a table, with their sum."""
    total = sum(timings.values())
    table = Table(title="seconds by stage", title_justify="left")
    table.add_column("stage")
    table.add_column("seconds", justify="right")
    table.add_column("share", justify="right")
    for stage, seconds in timings.items():
        table.add_row(Text(stage), f"{seconds:.2f}", f"{100 * seconds / (total or 1):.0f} %")
    table.add_section()
    table.add_row("all", f"{total:.2f}", "")
    console.out.print(table)
