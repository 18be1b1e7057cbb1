"""What all pictures share: paper, ink, colors, and how they become part of a page."""

import io
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from math import nan
from typing import TYPE_CHECKING

from snncc_ir import SnnccError, fail

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
FONT = 9.0
"""Points, of all texts but titles."""
POINT = 1 / 72
"""Inches."""
WIDER = 1.06
"""How much wider a text may become where its font is fitted to pixels."""


def check_installed() -> None:
    """Raises SNN054 when matplotlib is not installed, at once."""
    if find_spec("matplotlib") is None:
        raise _missing("is not installed")


def load() -> None:
    """Imports what pictures need, which takes a while; raises SNN054 when that fails."""
    try:
        import matplotlib.backends.backend_svg
        import matplotlib.figure  # noqa: F401
        import networkx  # noqa: F401
    except ImportError as error:
        raise _missing(f"cannot be imported ({error})") from None


def _missing(what: str) -> SnnccError:
    return fail(
        "SNN054",
        f"matplotlib {what}, so there are no pictures",
        hint="pip install 'snncc[plot]'",
    )


@dataclass(frozen=True)
class Margins:
    """Inches around the axes of a picture, and between them: known before it is drawn.

    matplotlib would find out by drawing everything once more. bottom: room for ticks and a label.
    top: of a legend, where there is one, else for half a tick label. gap: between axes side by
    side, or one above the other.
    """

    left: float
    right: float = 0.25
    bottom: float = 0.52
    top: float = 0.1
    gap: float = 0.3

    def share(self, height: float, columns: int, rows: int) -> dict[str, float]:
        """As matplotlib wants it, of a picture of `WIDTH` by `height` inches."""
        wide, high = WIDTH - self.left - self.right, height - self.bottom - self.top
        return {
            "left": self.left / WIDTH,
            "right": 1 - self.right / WIDTH,
            "bottom": self.bottom / height,
            "top": 1 - self.top / height,
            # of the mean width and height of the axes
            "wspace": self.gap * columns / max(wide - self.gap * (columns - 1), self.gap),
            "hspace": self.gap * rows / max(high - self.gap * (rows - 1), self.gap),
        }


HANDLE = 0.55
"""Inches of what stands before a text of a legend."""
LEGEND = 0.35
"""Margin for a legend in one line above the axes."""


def beside(names: Iterable[str], labeled: bool = False) -> float:
    """The margin for texts at the ticks of a vertical axis. labeled: the axis has a label, too."""
    load()
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextToPath

    measure, font = TextToPath().get_text_width_height_descent, FontProperties(size=FONT)
    widest = max((measure(name, font, False)[0] for name in names), default=0.0)
    return POINT * (WIDER * widest + FONT + (2 * FONT if labeled else 0))


@contextmanager
def sheet(height: float, margins: Margins, columns: int = 1, rows: int = 1) -> Iterator["Figure"]:
    """An empty figure of `WIDTH` by `height` inches, in the report's style, for so many axes."""
    load()
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(
        {
            "font.size": FONT, "text.color": INK, "axes.labelcolor": INK, "axes.edgecolor": INK,
            "xtick.color": INK, "ytick.color": INK, "axes.spines.top": False,
            "axes.spines.right": False, "axes.titlesize": 10, "axes.titlelocation": "left",
            "legend.frameon": False, "legend.fontsize": FONT, "axes.linewidth": 0.8,
            "grid.color": INK, "grid.alpha": 0.15, "grid.linewidth": 0.6,
        }
    ):  # fmt: skip
        figure = Figure(figsize=(WIDTH, height), dpi=100)
        figure.subplots_adjust(**margins.share(height, columns, rows))
        yield figure


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


def legend_beside(axes: "Axes") -> None:
    """A legend to the right of the only axes of a figure, which make room for it."""
    legend = axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    lines = [line for text in legend.get_texts() for line in text.get_text().splitlines()]
    axes.figure.subplots_adjust(right=1 - (beside(lines) + HANDLE) / WIDTH)


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
