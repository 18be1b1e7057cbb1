"""What a target adds to the page that `snncc report` writes: sections of its own."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from snncc_backends.preview import Figure

Cell = str | int | float | None
"""Of a table; None where there is nothing to say."""


@dataclass(frozen=True)
class Column:
    """name: its heading. unit: of its numbers, such as `cycles`; empty for texts and counts."""

    name: str
    unit: str = ""


@dataclass(frozen=True)
class Section:
    """A part of the report: a heading, sentences, a picture, a table; each may be left out.

    name: its key in report.json, unique among the target's. title: its heading. text: what is
    shown, in sentences. svg: the picture, one <svg> element with a viewBox, without a script; text
    and lines in `currentColor` are readable on light and on dark paper. label: what the picture
    shows, for those who cannot see it. columns, rows: the table. figures: single numbers. sentence:
    for the head of the page, such as how much of the chip is used.
    """

    name: str
    title: str
    text: str = ""
    svg: str = ""
    label: str = ""
    columns: tuple[Column, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    figures: tuple[Figure, ...] = ()
    sentence: str = ""

    def __post_init__(self) -> None:
        """Raises ValueError for a row that does not fit the columns, or a picture without label."""
        for row in self.rows:
            if len(row) != len(self.columns):
                raise ValueError(f"a row has {len(row)} cells, should have {len(self.columns)}")
        if self.svg and not self.label:
            raise ValueError(f"the picture of section '{self.name}' has no label")

    def as_json(self) -> Mapping[str, object]:
        """For report.json: all but the picture."""
        table = asdict(self)
        del table["svg"], table["label"]
        return table
