"""What the page is made of: parts with sentences, pictures and tables."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from markupsafe import Markup

from snncc_backends import Cell

CLOSED_FROM = 13
"""Rows from which on a table is folded on the screen."""


@dataclass(frozen=True)
class Picture:
    """caption: how to read it. natural: of the size that it says, and with its own font."""

    svg: Markup
    caption: str
    natural: bool = False


@dataclass(frozen=True)
class Table:
    """columns: heading and unit. caption: what it lists."""

    caption: str
    columns: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[Cell]]

    @property
    def folded(self) -> bool:
        return len(self.rows) >= CLOSED_FROM

    @cached_property
    def texts(self) -> list[bool]:
        """Which columns hold words, and no numbers."""
        return [
            any(isinstance(row[i], str) and _is_text(str(row[i])) for row in self.rows)
            for i in range(len(self.columns))
        ]


@dataclass(frozen=True)
class Part:
    """anchor: of links to it."""

    anchor: str
    title: str
    text: str
    pictures: Sequence[Picture] = ()
    tables: Sequence[Table] = ()


def _is_text(cell: str) -> bool:
    return bool(cell) and cell[0] not in "0123456789-+–"
