"""What target c adds to the report: the memory that the program needs."""

import re
from pathlib import Path

from snncc_backends import Column, Figure, Section

LARGE = "weights.bin"


def sections(folder: Path) -> tuple[Section, ...]:
    """folder: of the sources."""
    header = (folder / "model.h").read_text(encoding="utf-8")
    size, working = (_size(header, name) for name in ("MODEL_WEIGHT_BYTES", "MODEL_STATE_BYTES"))
    beside = (folder / LARGE).exists()
    code = sum(path.stat().st_size for path in folder.glob("*.[ch]"))
    rows = (
        ("weights and parameters", size, "read only" + (f", {LARGE}" if beside else "")),
        ("working memory", working, "potentials, spikes, and lists of them"),
        ("sources", code, "C99, no dependencies"),
    )
    return (
        Section(
            "memory",
            "Memory of the program",
            "What one instance of the simulator needs; there is no allocation.",
            columns=(Column("memory"), Column("size", "bytes"), Column("what it is")),
            rows=rows,
            figures=(
                Figure("weights and parameters", size, "bytes"),
                Figure("working memory", working, "bytes"),
            ),
            sentence=f"It needs {size / 1000:,.0f} kB of constants and {working / 1000:,.0f} "
            "kB of working memory.",
        ),
    )


def _size(header: str, name: str) -> int:
    """Of a constant of model.h."""
    found = re.search(rf"{name}\s+(\d+)", header)
    if found is None:
        raise AssertionError(f"model.h has {name}")
    return int(found.group(1))
