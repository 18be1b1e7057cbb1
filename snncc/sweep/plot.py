"""Pictures of a sweep: accuracy over time steps, and over synaptic operations."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from snncc.files import write_whole
from snncc.sweep.row import Row
from snncc_ir import fail

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

PICTURES = ("sweep.png", "sweep.svg")
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#8c6d31")
"""Okabe and Ito's, which people with color blindness can tell apart; one a series."""
MARKERS = "osD^vP*X"
PANELS = {"steps": "time steps until the result", "operations": "synaptic operations a sample"}
VARIED_MOST = 3


def plot(rows: Sequence[Row], folder: "Path", title: str) -> None:
    """Writes sweep.png and sweep.svg: all points, the Pareto front as a line, its points labeled.

    Error bars are 95 % confidence intervals. The same rows give the same bytes. Raises SNN054 when
    matplotlib is not installed.
    """
    try:
        import matplotlib
        from matplotlib.figure import Figure
    except ImportError:
        raise fail(
            "SNN054",
            "matplotlib is not installed, so there are no pictures",
            hint="pip install 'snncc[plot]'; the sweep continues from its table",
        ) from None
    shown = [row for row in rows if row.quality is not None]
    labels = dict(zip((row.key for row in shown), _labels(shown), strict=True))
    with matplotlib.rc_context({"svg.hashsalt": "snncc", "svg.fonttype": "none"}):
        figure = Figure(figsize=(13, 6), dpi=110, layout="constrained")
        panels = figure.subplots(1, 2, sharey=True)
        for axes, cost in zip(panels, PANELS, strict=True):
            _panel(axes, shown, cost, labels)
        panels[0].set_ylabel(_quality(shown))
        panels[1].legend(loc="lower right", fontsize=9, framealpha=0.9)
        figure.suptitle(title, fontsize=11)
        for name in PICTURES:
            content = io.BytesIO()
            kind = name.rpartition(".")[2]
            nothing = {"Software": None} if kind == "png" else {"Date": None, "Creator": None}
            figure.savefig(content, format=kind, metadata=nothing)
            write_whole(folder / name, content.getvalue())


def _panel(axes: "Axes", rows: Sequence[Row], cost: str, labels: Mapping[str, str]) -> None:
    for number, name in enumerate(dict.fromkeys(map(series, rows))):
        points = [(row, row.point(cost)) for row in rows if series(row) == name]
        placed = [(row, point) for row, point in points if point is not None]
        if not placed:
            continue
        x = [point[0] for _, point in placed]
        y = [100 * point[1] for _, point in placed]
        bars = [_interval(row) for row, _ in placed]
        axes.errorbar(
            x, y, yerr=[[y[i] - low for i, (low, _) in enumerate(bars)],
                        [high - y[i] for i, (_, high) in enumerate(bars)]],
            fmt=MARKERS[number % len(MARKERS)], color=COLORS[number % len(COLORS)], label=name,
            markersize=6, elinewidth=0.8, alpha=0.85,
        )  # fmt: skip
    inside = sorted(
        {(point, labels[row.key]) for row in rows if cost in row.fronts
         if (point := row.point(cost)) is not None}
    )  # fmt: skip
    if inside:
        x, y = [point[0] for point, _ in inside], [100 * point[1] for point, _ in inside]
        axes.step(x, y, where="post", color="#555555", linewidth=1, zorder=0, label="Pareto front")
    for point, text in inside:
        # above and to the left of a front there is nothing
        axes.annotate(
            text, (point[0], 100 * point[1]), xytext=(-5, 5), ha="right",
            textcoords="offset points", fontsize=8, color="#222222",
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 0.6},
        )  # fmt: skip
    reference = next(
        (r.numbers["float_accuracy"] for r in rows if "float_accuracy" in r.numbers), None
    )
    if reference is not None:
        axes.axhline(100 * reference, color="#999999", linestyle="--", linewidth=1, label="float")
    axes.set_xscale("log", base=2 if cost == "steps" else 10)
    axes.set_xlabel(PANELS[cost])
    axes.grid(alpha=0.25)
    axes.margins(x=0.2, y=0.08)
    if cost == "steps":
        axes.xaxis.set_major_formatter("{x:g}")


def series(row: Row) -> str:
    """What gets a color of its own: target, coding and neuron."""
    parts = (row.target, row.settings.get("coding", ""), row.settings.get("neuron", ""))
    return " ".join(part for part in parts if part)


def _labels(rows: Sequence[Row]) -> list[str]:
    """What distinguishes each row from others of its series: such as `steps=8`."""
    texts = []
    for row in rows:
        others = [other for other in rows if series(other) == series(row)]
        varied = [
            name
            for name, value in row.settings.items()
            if any(other.settings.get(name) != value for other in others)
        ][:VARIED_MOST]
        texts.append(", ".join(f"{name}={row.settings[name]}" for name in varied) or series(row))
    return texts


def _quality(rows: Sequence[Row]) -> str:
    if any("accuracy" in row.numbers for row in rows):
        return "accuracy, %"
    return "agreement with the float network, %"


def _interval(row: Row) -> tuple[float, float]:
    share = row.share("accuracy") or row.share("agreement")
    return (0.0, 0.0) if share is None else (100 * share.low, 100 * share.high)
