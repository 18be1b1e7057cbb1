"""What `snncc diff` prints: lines in a pipe, a table by layer on a terminal."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from snncc.cli import console
from snncc.diff import Change, Difference
from snncc.diff.changes import plural

LAYERS, LINES = 20, 8
"""Layers (or cores), and changes of each, that are shown unless all are asked for."""
FILES = 6
"""Files that are named in one line."""
STYLES = {"network": "bold red", "layer": "bold red", "accuracy": "yellow", "measured": "yellow",
          "file": "dim", "origin": "dim"}  # fmt: skip


def show_difference(found: Difference, every: bool) -> None:
    """The summary, then what differs; `every` change, or the first of each layer."""
    piped = not console.out.is_terminal
    console.out.print(Text(found.summary, "green" if found.equal else "bold"), soft_wrap=piped)
    groups = grouped(found, every)
    if not piped:
        _show_table(groups)
    else:
        for place, lines in groups:
            for change, text in lines:
                console.out.print(
                    Text(f"{place}: {text}" if place else text, STYLES.get(change.kind, "")),
                    soft_wrap=True,
                )


Group = tuple[str, list[tuple[Change, str]]]
"""A place, and its changes with their sentences."""


def grouped(found: Difference, every: bool) -> list[Group]:
    """Changes by place, those of the whole first; cut short unless `every` is to be shown."""
    files = found.of("file")
    by_place: dict[str, list[Change]] = {}
    for change in found.changes:
        if change.place or every or change.kind != "file":
            by_place.setdefault(change.place, []).append(change)
    whole = by_place.pop("", [])
    groups: list[Group] = [("", _cut(whole, every))] if whole else []
    places = list(by_place.items())
    shown = places if every else places[:LAYERS]
    groups += [(place, _cut(part, every)) for place, part in shown]
    rest = len(places) - len(shown)
    if rest:
        last = places[-1][1][0]
        what = last.place.split()[0]
        text = f"{rest} more {plural(what, rest)}; --verbose shows all"
        groups.append(("", [(last, text)]))
    if files and not every:
        groups.append(("", [(files[0], _files(files))]))
    return groups


def _cut(changes: Sequence[Change], every: bool) -> list[tuple[Change, str]]:
    shown = changes if every or len(changes) <= LINES else changes[: LINES - 1]
    lines = [(change, change.text) for change in shown]
    rest = len(changes) - len(shown)
    if rest:
        lines.append((changes[-1], f"{rest} more {plural('change', rest)}; --verbose shows all"))
    return lines


def _files(files: Sequence[Change]) -> str:
    names = [change.quantity for change in files]
    if len(names) == 1:
        return files[0].text
    more = f", and {len(names) - FILES} more" if len(names) > FILES else ""
    return f"{len(names)} files: {', '.join(names[:FILES])}{more}"


def _show_table(groups: Sequence[Group]) -> None:
    if not groups:
        return
    table = Table(show_header=False, show_lines=False)
    table.add_column("where", overflow="fold", max_width=max(16, console.out.width // 3))
    table.add_column("what", overflow="fold")
    for i, (place, lines) in enumerate(groups):
        if i:
            table.add_section()
        for number, (change, text) in enumerate(lines):
            where = Text(place if number == 0 else "", "bold")
            table.add_row(where, Text(text, STYLES.get(change.kind, "")))
    console.out.print(table)
