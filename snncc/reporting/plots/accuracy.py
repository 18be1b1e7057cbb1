"""Pictures of accuracy: where it is lost on the way to the chip, and over time."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from snncc.reporting.exits import AtMargin
from snncc.reporting.plots.canvas import (
    BLUE,
    GREEN,
    INK,
    LEGEND,
    ORANGE,
    RED,
    Margins,
    beside,
    legend_beside,
    numbers,
    sheet,
)
from snncc.reporting.steps import CALIBRATION, Step
from snncc.shares import Share
from snncc.verify import Verification

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


def waterfall(steps: Sequence[Step]) -> "Figure":
    """Accuracy and agreement with the float network at each step; without classes, dB."""
    shares = [s for s in steps if s.agreement is not None or s.accuracy is not None]
    shown = shares or [step for step in steps if step.snr is not None]
    names = [step.name for step in shown]
    sources = [f"on {step.data}" for step in shown]
    around = Margins(beside(names), beside(sources), top=LEGEND)
    with sheet(1.0 + 0.27 * len(shown), around) as figure:
        axes = figure.subplots()
        if shares:
            _share_rows(axes, shown)
        else:
            axes.plot(numbers(s.snr for s in shown), range(len(shown)), "o-", color=BLUE)
            axes.set_xlabel("signal to noise of the first output, dB")
        axes.set_yticks(range(len(shown)), names)
        axes.set_ylim(len(shown) - 0.5, -0.5)
        for row, step in enumerate(shown):
            if row and step.data != shown[row - 1].data:
                axes.axhline(row - 0.5, color=INK, linewidth=0.8, linestyle=(0, (4, 3)))
            if row == 0 or step.data != shown[row - 1].data:
                axes.annotate(
                    sources[row], (1.0, row), xycoords=("axes fraction", "data"),
                    xytext=(6, 0), textcoords="offset points", va="center", fontsize=8,
                )  # fmt: skip
        axes.grid()
        axes.set_axisbelow(True)
    return figure


def _share_rows(axes: "Axes", shown: Sequence[Step]) -> None:
    series = (
        ("accuracy", BLUE, "o", -0.13, [(s.accuracy, s.accuracy_share) for s in shown]),
        ("agreement with float", RED, "s", 0.13, [(s.agreement, s.agreement_share) for s in shown]),
    )
    for name, color, marker, shift, values in series:
        placed = [(row, v, share) for row, (v, share) in enumerate(values) if v is not None]
        if not placed:
            continue
        low = [100 * (v - share.low) if share else 0 for _, v, share in placed]
        high = [100 * (share.high - v) if share else 0 for _, v, share in placed]
        axes.errorbar(
            [100 * v for _, v, _ in placed], [row + shift for row, _, _ in placed],
            xerr=[[max(x, 0) for x in low], [max(x, 0) for x in high]], fmt=marker, color=color,
            markersize=5, elinewidth=1.2, label=name,
        )  # fmt: skip
        within = [(row, v) for row, v, _ in placed if shown[row].data == CALIBRATION]
        axes.plot(
            [100 * v for _, v in within], [row + shift for row, _ in within],
            color=color, linewidth=1, alpha=0.6,
        )  # fmt: skip
    axes.set_xlabel("% of samples (bars: 95 % confidence)")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0.2)


def over_steps(found: Verification, exits: Sequence[AtMargin]) -> "Figure":
    """Accuracy and agreement after so many time steps; beside it what early exit would bring."""
    classes = found.last.agreement is not None
    with sheet(3.4, Margins(beside(["100.0"], labeled=True))) as figure:
        axes = figure.subplots()
        steps = [row.steps for row in found.at_steps]
        if not classes:
            axes.plot(steps, numbers(row.snr for row in found.at_steps), "o-", color=BLUE)
            axes.set_ylabel("signal to noise, dB")
        for name, color, marker, values in (
            ("accuracy", BLUE, "o", [row.accuracy for row in found.at_steps]),
            ("agreement with float", RED, "s", [row.agreement for row in found.at_steps]),
        ):
            _with_intervals(axes, steps, values, color, marker, name)
        if exits and classes:
            curve = [
                (at.mean_steps, 100 * (at.accuracy or at.same).value)
                for at in sorted(exits, key=lambda at: at.mean_steps)
            ]
            which = "accuracy" if exits[0].accuracy else "same class\nas after all steps"
            axes.plot(
                [x for x, _ in curve], [y for _, y in curve], color=GREEN, linewidth=1.5,
                linestyle="--", label=f"early exit at any margin:\nmean steps, {which}",
            )  # fmt: skip
        if found.early is not None:
            share = found.early.accuracy or found.early.same
            axes.plot(
                [found.early.mean_steps], [100 * share.value], "D", color=ORANGE, markersize=7,
                label=f"early exit at margin {found.early.margin:.3g}",
            )  # fmt: skip
        if found.float_accuracy is not None:
            axes.axhline(
                100 * found.float_accuracy.value, color=INK, linestyle=":", linewidth=1,
                label="float accuracy",
            )  # fmt: skip
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_xlabel("time steps")
        if classes:
            axes.set_ylabel("% of samples")
        axes.grid()
        if classes:
            legend_beside(axes)
    return figure


def _with_intervals(
    axes: "Axes",
    steps: list[int],
    values: Sequence[Share | None],
    color: str,
    marker: str,
    name: str,
) -> None:
    placed = [(step, share) for step, share in zip(steps, values, strict=True) if share is not None]
    if not placed:
        return
    axes.errorbar(
        [step for step, _ in placed], [100 * share.value for _, share in placed],
        yerr=[[max(100 * (share.value - share.low), 0) for _, share in placed],
              [max(100 * (share.high - share.value), 0) for _, share in placed]],
        fmt=f"{marker}-", color=color, markersize=5, elinewidth=1, linewidth=1.3, label=name,
    )  # fmt: skip
