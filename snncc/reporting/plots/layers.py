"""Pictures with one row for each layer: what it does, what it costs, what it holds."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from snncc.explain import LayerFigures
from snncc.reporting.layers import LayerRow
from snncc.reporting.plots.canvas import (
    BLUE,
    GREEN,
    INK,
    LEGEND,
    ORANGE,
    PINK,
    RED,
    SKY,
    WIDTH,
    Margins,
    bars,
    beside,
    numbers,
    row_height,
    sheet,
    short,
)
from snncc_backends import Estimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from matplotlib.ticker import Formatter

CAUSE_COLORS = {"clipped": RED, "silent": PINK, "coarse": ORANGE, "weights": SKY, "time": BLUE}
"""Of an error's parts."""


def work(rows: Sequence[LayerRow]) -> "Figure":
    """Spikes that leave each layer, and synaptic operations in it; means of a sample."""
    names = [row.name for row in rows]
    with sheet(row_height(len(rows)), Margins(_names(names)), columns=2) as figure:
        panels = figure.subplots(1, 2, sharey=True)
        for axes, color, label, values in (
            (panels[0], BLUE, "spikes a sample", [row.spikes for row in rows]),
            (panels[1], GREEN, "synaptic operations a sample",
             [row.synaptic_operations for row in rows]),
        ):  # fmt: skip
            axes.barh(range(len(rows)), [value or 0 for value in values], color=color, height=0.7)
            bars(axes, names, label)
            axes.xaxis.set_major_formatter(_engineering())
    return figure


def energy(estimate: Estimate) -> "Figure":
    """Microjoules by cause, and by layer."""
    causes = sorted(estimate.parts.items(), key=lambda part: -part[1])
    layers = list(estimate.layers.items())
    names = [name.replace("_", " ") for name, _ in causes], [name for name, _ in layers]
    around = Margins(_names(names[0] + names[1]), gap=0.6)
    height = row_height(len(layers)) + row_height(len(causes)) - 0.6
    with sheet(height, around, rows=2) as figure:
        heights = (max(len(causes), 1), max(len(layers), 1))
        above, below = figure.subplots(2, 1, height_ratios=heights)
        above.barh(range(len(causes)), [value for _, value in causes], color=ORANGE, height=0.7)
        bars(above, names[0], "µJ a sample, by cause")
        below.barh(range(len(layers)), [value for _, value in layers], color=RED, height=0.7)
        bars(below, names[1], "µJ a sample, by layer")
    return figure


def memory(rows: Sequence[LayerRow]) -> "Figure":
    """Bytes of weights, other parameters, and potentials."""
    names = [row.name for row in rows]
    around = Margins(_names(names), top=LEGEND)
    with sheet(row_height(len(rows)) + 0.2, around) as figure:
        axes = figure.subplots()
        left = [0.0] * len(rows)
        for name, color, bits in (
            ("weights", BLUE, [row.weight_bits for row in rows]),
            ("other parameters", ORANGE, [row.parameter_bits for row in rows]),
            ("potentials", GREEN, [row.state_bits for row in rows]),
        ):
            held = [each / 8000 for each in bits]
            axes.barh(range(len(rows)), held, left=left, color=color, height=0.7, label=name)
            left = [a + b for a, b in zip(left, held, strict=True)]
        bars(axes, names, "kB")
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2)
    return figure


def quality(rows: Sequence[LayerFigures]) -> "Figure":
    """Signal to noise of each layer's numbers, and what its own error is made of."""
    names = [row.name for row in rows]
    around = Margins(_names(names), top=LEGEND)
    with sheet(row_height(len(rows)) + 0.3, around, columns=2) as figure:
        left, right = figure.subplots(1, 2, sharey=True)
        for label, color, marker, values in (
            ("chip", BLUE, "o-", [row.snr for row in rows]),
            ("closed form", ORANGE, "s--", [row.snr_closed for row in rows]),
            ("layer alone", GREEN, "D", [row.snr_own for row in rows]),
        ):
            left.plot(
                numbers(values), range(len(rows)), marker, color=color, markersize=4,
                linewidth=1.2, label=label,
            )  # fmt: skip
        bars(left, names, "signal to noise, dB")
        # with long names panels are narrow: legends go from one edge of the picture to the other
        panel = WIDTH * left.get_position().width
        left.legend(
            loc="lower left", bbox_to_anchor=(-around.left / panel, 1), ncols=3, borderaxespad=0.2
        )
        own = [100 * row.losses["own"] for row in rows]
        right.barh(range(len(rows)), own, color=INK, alpha=0.15, height=0.8, label="own error")
        for (cause, color), marker in zip(CAUSE_COLORS.items(), "o^sDv", strict=True):
            values = [100 * row.losses.get(cause, 0.0) or None for row in rows]
            right.plot(
                numbers(values), range(len(rows)), marker, color=color, markersize=4.5, label=cause
            )
        bars(right, names, "% of the energy of what is due")
        right.set_xscale("log")
        right.xaxis.set_major_formatter("{x:g}")
        right.set_xlim(1e-3, None)
        right.legend(
            loc="lower right", bbox_to_anchor=(1 + around.right / panel, 1), ncols=6,
            borderaxespad=0.2, columnspacing=0.9, handletextpad=0.2, handlelength=1,
        )  # fmt: skip
    return figure


def _names(names: list[str]) -> float:
    """The margin for names of layers, as `bars` shows them."""
    return beside(map(short, names))


def _engineering() -> "Formatter":
    """Ticks such as 20 k and 1.5 M."""
    from matplotlib.ticker import EngFormatter

    return EngFormatter(sep=" ")
