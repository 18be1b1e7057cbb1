"""Pictures of spikes: a raster of some neurons, and what values layers send."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from snncc.reporting.plots.canvas import (
    BLUE,
    INK,
    RED,
    WIDTH,
    Margins,
    beside,
    row_height,
    sheet,
    short,
)
from snncc.reporting.trains import Histogram, LayerTrain

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BANDS = 0.05
"""How much ink is behind every second layer."""
BAR, BAR_WIDTH, BAR_PAD = 4.0, 0.15, 0.08
"""Inches of a color bar: its height, at most, its width, and how far it is away."""
NARROWEST = 0.003
"""Half of a mark, as a share of the time shown."""
NAMED = 60
"""Layers whose names fit beside a raster."""


def raster(trains: Sequence[LayerTrain], follows: bool) -> "Figure":
    """A mark a spike; follows: layers follow one another in time. Negative spikes are red."""
    rows = sum(len(layer.neurons) for layer in trains)
    around = Margins(beside(short(layer.name) for layer in trains))
    with sheet(1.0 + min(0.032 * rows, 9.0) + 0.02 * len(trains), around) as figure:
        axes = figure.subplots()
        start, ticks = 0, []
        last = max(layer.start + len(layer.train) for layer in trains)
        for number, layer in enumerate(trains):
            count = len(layer.neurons)
            if number % 2:
                axes.axhspan(start - 0.5, start + count - 0.5, color=INK, alpha=BANDS, linewidth=0)
            ticks.append((start + (count - 1) / 2, layer.name))
            for positive, color in ((True, BLUE), (False, RED)):
                _marks(axes, layer, start, positive, color, last * NARROWEST)
            start += count
        shown = ticks if len(ticks) <= NAMED else ticks[:: -(-len(ticks) // NAMED)]
        axes.set_yticks([at for at, _ in shown], [short(name) for _, name in shown])
        axes.set_ylim(start - 0.5, -0.5)
        axes.set_xlim(-0.5, last - 0.5)
        axes.tick_params(axis="y", length=0)
        axes.set_xlabel("time in slots of all phases" if follows else "time step")
        axes.locator_params(axis="x", integer=True)
    return figure


def _marks(
    axes: "Axes", layer: LayerTrain, start: int, positive: bool, color: str, least: float
) -> None:
    """One path for all spikes of a layer and sign; a graded spike is a longer mark."""
    steps, places = np.nonzero(layer.train > 0 if positive else layer.train < 0)
    if not len(steps):
        return
    payload = np.abs(layer.train[steps, places].astype(float))
    half = np.maximum(0.15 + 0.25 * payload / max(float(payload.max()), 1.0), least)
    x, gap = steps + layer.start, np.full(len(places), np.nan)
    axes.plot(
        np.stack([x - half, x + half, gap], 1).reshape(-1), np.repeat(start + places, 3),
        color=color, linewidth=1.5, solid_capstyle="butt",
    )  # fmt: skip


def values(found: Histogram) -> "Figure":
    """Layers by what their neurons send: the share of neurons in each bin, silent ones first."""
    neurons = found.counts.sum(axis=1) + found.silent
    shares = 100 * found.counts / np.maximum(neurons, 1)[:, None]
    silent = 100 * found.silent / np.maximum(neurons, 1)
    names = [short(name) for name in found.names]
    around = Margins(beside(names), beside(["100.0"], labeled=True) + BAR_WIDTH + BAR_PAD)
    with sheet(row_height(len(names)) + 0.4, around, columns=2) as figure:
        quiet, sent = figure.subplots(1, 2, sharey=True, width_ratios=(1, 4))
        quiet.barh(range(len(names)), silent, color=INK, alpha=0.35, height=0.7)
        quiet.set_yticks(range(len(names)), names)
        quiet.set_xlim(0, 100)
        quiet.set_xlabel("silent, %")
        quiet.tick_params(axis="y", length=0)
        image = sent.imshow(
            shares, aspect="auto", interpolation="nearest", cmap="viridis",
            vmin=0, vmax=max(float(np.quantile(shares, 0.99)), 1e-9) if shares.size else 1,
            extent=(found.edges[0] - 0.5, found.edges[-1] - 0.5, len(found.names) - 0.5, -0.5),
        )  # fmt: skip
        sent.set_ylim(len(found.names) - 0.5, -0.5)
        sent.set_xlabel(f"{found.kind} of a neuron in a sample")
        sent.tick_params(axis="y", length=0)
        box = sent.get_position()
        wide, high = box.width * WIDTH, box.height * figure.get_size_inches()[1]
        bar_height = min(1.0, BAR / high)
        beside_it = (1 + BAR_PAD / wide, 1 - bar_height, BAR_WIDTH / wide, bar_height)
        figure.colorbar(
            image, cax=sent.inset_axes(beside_it), label="% of the layer's neurons", extend="max"
        )
    return figure
