"""What early exit would bring at any margin: cut off from one run of all steps, at no cost."""

from dataclasses import dataclass

import numpy as np

from snncc.early_exit import output_totals
from snncc.shares import Share
from snncc_backends import EarlyExit, Execution, margin_unit, margins
from snncc_ir import Array, Graph, SnnccError

POINTS = 24


@dataclass(frozen=True)
class AtMargin:
    """If every sample ended at this margin: the steps that it takes on average, and the results.

    margin: in the network's own numbers, added up over steps. same: samples that keep the class
    that they have after all steps.
    """

    margin: float
    mean_steps: float
    accuracy: Share | None
    same: Share


def margin_curve(graph: Graph, full: Execution, labels: Array | None) -> tuple[AtMargin, ...]:
    """From the smallest margin to one that no sample reaches; empty where a margin means nothing.

    full: all steps. labels: the samples' classes, (N,). Margins are quantiles of those that occur.
    """
    try:
        unit = margin_unit(graph)
    except SnnccError:
        return ()
    if full.steps < 2:
        return ()
    totals = output_totals(graph, full)
    ahead = margins(totals)
    shares = np.linspace(0, 1, POINTS)
    tried = np.unique(np.quantile(ahead[:, :-1], shares, method="nearest")).astype(np.int64)
    chosen, last = totals.argmax(axis=2), totals[:, -1].argmax(axis=1)
    found = []
    for margin in np.unique(np.maximum([1, *tried, tried[-1] + 1], 1)).tolist():
        used = EarlyExit(margin).steps_used(totals)
        classes = chosen[np.arange(len(used)), used - 1]
        found.append(
            AtMargin(
                margin * unit,
                float(np.mean(used)),
                None if labels is None else Share.of(classes == labels),
                Share.of(classes == last),
            )
        )
    return tuple(found)
