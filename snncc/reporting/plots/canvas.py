"""What all pictures share: paper, ink, colors, and how they become part of a page."""

import io
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from math import nan
from typing import TYPE_CHECKING

from snncc_ir import fail

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BLUE, RED, GREEN, PINK, ORANGE, SKY = (
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9",
)  # fmt: skip
"""Okabe and Ito's, which people with color blindness can tell apart, on light and dark paper."""
NAMES = {BLUE: "blue", RED: "red", GREEN: "green", PINK: "pink", ORANGE: "orange", SKY: "sky"}
INK = "#24292f"
"""Of texts and axes; the page has its own in its place."""
WIDTH = 9.0
"""Inches of every picture; the page scales it."""


def matplotlib_or_fail() -> None:
    """Raises SNN054 when matplotlib is not installed."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError:
        raise fail(
            "SNN054",
            "matplotlib is not installed, so there are no pictures",
            hint="pip install 'snncc[plot]'",
        ) from None


@contextmanager
def sheet(height: float) -> Iterator["Figure"]:
    """An empty figure of `WIDTH` by `height` inches, in the report's style."""
    matplotlib_or_fail()
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(
        {
            "font.size": 9, "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK,
            "xtick.color": INK, "ytick.color": INK, "axes.spines.top": False,
            "axes.spines.right": False, "axes.titlesize": 10, "axes.titlelocation": "left",
            "legend.frameon": False, "legend.fontsize": 9, "axes.linewidth": 0.8,
            "grid.color": INK, "grid.alpha": 0.15, "grid.linewidth": 0.6,
        }
    ):  # fmt: skip
        yield Figure(figsize=(WIDTH, height), dpi=100, layout="constrained")


def as_svg(figure: "Figure", name: str, label: str) -> str:
    """The figure as one <svg> element of a page: the same figure, the same text.

    name: makes its ids its own. label: what it shows, for those who cannot see it.
    """
    import matplotlib

    content = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name, "svg.fonttype": "none"}):
        nothing = {"Date": None, "Creator": None, "Format": None, "Type": None}
        figure.savefig(content, format="svg", transparent=True, metadata=nothing)
    text = content.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.S)
    used = set(re.findall(r"(?:href=\"#|url\(#)([^\")]+)", text))

    def identity(found: re.Match[str]) -> str:
        return f' id="{name}-{found.group(1)}"' if found.group(1) in used else ""

    text = re.sub(r"\sid=\"([^\"]*)\"", identity, text)
    text = re.sub(r"(href=\"#|url\(#)", rf"\1{name}-", text)
    text = re.sub(r"\n\s*", "\n", text.replace(INK, "currentColor"))
    for color, name in NAMES.items():  # so that the page can have others on dark paper
        text = text.replace(f": {color}", f": var(--{name}, {color})")
    head = f'<svg role="img" aria-label="{_escaped(label)}"'
    return head + text.removeprefix("<svg").rstrip()


def bars(axes: "Axes", names: list[str], label: str) -> None:
    """Axes of horizontal bars: one a layer, the first at the top."""
    axes.set_yticks(range(len(names)), [short(name) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_xlabel(label)
    axes.grid(axis="x")
    axes.set_axisbelow(True)
    axes.tick_params(axis="y", length=0)


def row_height(count: int) -> float:
    """Inches of a picture with one row for each of `count` layers."""
    return 1.1 + count * (0.2 if count <= 40 else 0.15)


def short(name: str, most: int = 28) -> str:
    """A layer's name, cut at its front, where names of one network are alike."""
    return name if len(name) <= most else f"…{name[1 - most :]}"


def numbers(values: Iterable[float | None]) -> list[float]:
    """With a gap where there is none."""
    return [nan if value is None else value for value in values]


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
