"""What each pass did to the network's values, as a table."""

from collections.abc import Sequence

from rich.table import Table

from snncc.cli import console
from snncc.passes.manager import Measurement
from snncc.words import percent


def waterfall_table(rows: Sequence[Measurement], title: str) -> Table:
    """A row for each pass."""
    table = Table(title=title, title_justify="left")
    for heading in ("after", "promise", "agreement", "accuracy", "SNR dB"):
        table.add_column(
            heading, justify="left" if heading == "after" else "right", overflow="fold"
        )
    for row in rows:
        table.add_row(
            console.passes_text(row.step),
            row.promise,
            percent(row.agreement),
            percent(row.accuracy),
            "–" if row.snr is None else f"{row.snr:.1f}",
        )
    return table
