"""How objects look in a notebook: compact, on light and on dark paper."""

from collections.abc import Sequence

from snncc_templates import render

Tile = tuple[str, str, str]
"""Of a key figure: what it is, its value, and a note."""


def compact(
    title: str,
    tiles: Sequence[Tile] = (),
    lines: Sequence[str] = (),
    columns: Sequence[str] = (),
    rows: Sequence[Sequence[str]] = (),
) -> str:
    """HTML without colors of its own; everything is escaped."""
    return render(
        "report/compact.html.j2", title=title, tiles=tiles, lines=lines, columns=columns, rows=rows
    )
