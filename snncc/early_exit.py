"""Early exit: how its margin is chosen on calibration data, and what it costs and saves.

A margin is measured in the network's own numbers added up over steps: with a margin of 12, a
sample ends after 4 steps if its two largest logits are 3 apart by then, after 12 steps if they are
1 apart.
"""

from dataclasses import dataclass

import numpy as np

from snncc.shares import Share, upper_bound
from snncc_backends import EarlyExit, Execution, margin_unit, margins
from snncc_ir import Array, Floats, Graph, Integers, decode, fail
from snncc_ir.ops import Output

LATE = 95
"""Per cent of samples that have ended by `AtExit.late_steps`."""


@dataclass(frozen=True)
class Choice:
    """A margin that was chosen on calibration data, so that few results change by ending early.

    units: the margin in units of the output's totals, as the C program takes it. points: of
    accuracy that may be lost; so many per cent of samples may change their class. false_leads:
    share of the calibration samples on which a class that is not the last one was ahead by the
    margin or more; bound: what that share does not exceed with 95 % confidence.
    """

    margin: float
    units: int
    points: float
    samples: int
    false_leads: float
    bound: float

    @property
    def note(self) -> str:
        """What the user has to know of it; empty when the bound is what was asked for."""
        if 100 * self.bound <= self.points:
            return ""
        return (
            f"{self.samples} calibration samples cannot show that at most {self.points:g} % of "
            f"results change; the margin is the least without a false lead on any of them, which "
            f"shows {100 * self.bound:.2f} %"
        )


@dataclass(frozen=True)
class Ending:
    """A run whose samples ended early; choice: where the margin comes from, if it was chosen."""

    rule: EarlyExit
    execution: Execution
    choice: Choice | None = None


@dataclass(frozen=True)
class AtExit:
    """How good and how costly the network is when samples end early. Counts are means per sample.

    margin: in the network's own numbers, added up over steps; units: as the C program takes it.
    agreement: with the float network; same: with the result after all steps. late_steps: what 95 %
    of the samples keep within. difference: empty when steps and results are just those of the full
    run cut off, as they have to be.
    """

    margin: float
    units: int
    least_steps: int
    accuracy: Share | None
    agreement: Share | None
    same: Share
    mean_steps: float
    late_steps: int
    spikes: float
    synaptic_operations: float | None
    difference: str
    choice: Choice | None


def choose_margin(graph: Graph, full: Execution, points: float) -> Choice:
    """The least margin that changes the results of at most `points` per cent of all samples.

    full: calibration samples, all steps. A sample has a false lead of m when, after some step, a
    class other than that after all steps is m ahead. Ending at a margin changes the result only
    where a false lead reaches it, and accuracy falls at most by the share of changed results. So
    the margin is the least that false leads reach in at most `points` per cent of samples, by
    Wilson's one-sided bound of 95 %.

    Classes 'y' are not looked at: calibration data are most often training images, on which
    accuracy is better than it will be; false leads come from spike trains that are uneven, there as
    elsewhere. Raises SNN053.
    """
    unit = margin_unit(graph)
    if not 0 < points < 100:
        raise fail(
            "SNN053",
            f"the loss is {points:g}, should be above 0 and below 100 points",
            hint="--early-exit-loss 0.5",
        )
    totals = output_totals(graph, full)
    leader = totals.argmax(axis=2)
    wrong = leader != leader[:, -1:]
    leads = np.sort(np.where(wrong, margins(totals), 0).max(axis=1))[::-1]
    count = len(leads)
    allowed = 0
    while allowed + 1 < count and 100 * upper_bound(allowed + 1, count) <= points:
        allowed += 1
    units = int(leads[allowed]) + 1
    reached = int(np.count_nonzero(leads >= units))
    return Choice(units * unit, units, points, count, reached / count, upper_bound(reached, count))


def at_exit(
    graph: Graph, full: Execution, ending: Ending, classes: Array | None, labels: Array | None
) -> AtExit:
    """Figures of a run whose samples ended early, beside the same samples' run over all steps.

    classes: of the float network; labels: the right ones; both (N,).
    """
    execution, rule = ending.execution, ending.rule
    used = execution.steps_used
    if used is None:
        raise AssertionError("a run that ends samples early says when")
    chosen, last = (output_totals(graph, run)[:, -1].argmax(axis=1) for run in (execution, full))
    operations = execution.synaptic_operations
    return AtExit(
        rule.margin * margin_unit(graph),
        rule.margin,
        rule.least_steps,
        None if labels is None else Share.of(chosen == labels),
        None if classes is None else Share.of(chosen == classes),
        Share.of(chosen == last),
        float(np.mean(used)),
        int(np.sort(used)[-(-LATE * len(used) // 100) - 1]),
        sum(float(np.mean(count)) for count in execution.spike_counts.values()),
        sum(float(np.mean(count)) for count in operations.values()) if operations else None,
        _difference(full, execution, used, rule),
        ending.choice,
    )


def outputs_at(graph: Graph, execution: Execution, steps: int) -> dict[str, Floats]:
    """Results by output name, (N, *shape), after `steps` steps or at a sample's end before them."""
    if execution.steps_used is None:
        raise AssertionError("samples that end early say when")
    used = np.minimum(execution.steps_used, steps)
    totals = {name: total[:, steps - 1] for name, total in execution.totals.items()}
    # results are linear in the totals, and their mean over a sample's own steps
    added_up = decode(graph, totals, 1)
    return {
        name: values / used.reshape(-1, *[1] * (values.ndim - 1))
        for name, values in added_up.items()
    }


def output_totals(graph: Graph, execution: Execution) -> Integers:
    """Of the first output after every step, in its order: (N, T, classes)."""
    node = graph.outputs[0]
    totals = execution.totals[node.inputs[0]]
    flat = totals.reshape(*totals.shape[:2], -1)
    if isinstance(node.op, Output) and node.op.index is not None:
        flat = flat[:, :, node.op.index.integers.ravel()]
    return flat


def _difference(full: Execution, found: Execution, used: Integers, rule: EarlyExit) -> str:
    """Where the run is not the full one cut off; empty where it is nowhere."""
    expected = rule.steps_used(next(iter(full.totals.values())))
    if not np.array_equal(used, expected):
        sample = int(np.argmax(used != expected))
        return f"sample {sample} ends after {used[sample]} steps, should after {expected[sample]}"
    for name, totals in full.until(used).totals.items():
        if not np.array_equal(found.totals[name], totals):
            return f"total of '{name}' is not that of the full run at the samples' ends"
    return ""
