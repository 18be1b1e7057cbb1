"""What two bundles do with the same samples, run now."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from snncc.bundle import Bundle
from snncc.data import Dataset, batch_for, read_dataset
from snncc.diff.changes import Change, plural
from snncc.diff.manifests import share_change
from snncc.event_data import EventDataset
from snncc.reference import float_results
from snncc_ir import Array

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Measured:
    """What a bundle gave. accuracy, agreement: 0 to 1, None where not known. spikes: a sample."""

    classes: Array
    accuracy: float | None
    agreement: float | None
    spikes: float


def compare_runs(
    first: Bundle,
    second: Bundle,
    data: Path,
    model: Path | None,
    limit: int | None,
    progress: Progress,
) -> Iterator[Change]:
    """Classes, accuracy (where the data has classes), spikes; agreement with a `model`, if given.

    limit: only so many first samples. Raises what `Bundle.run` and `verify` do.
    """
    dataset = read_dataset(data).first(limit)
    ours, theirs = (
        _measure(bundle, dataset, model, f"run {which}", progress)
        for bundle, which in ((first, "first"), (second, "second"))
    )
    count = dataset.count
    changed = int(np.count_nonzero(ours.classes != theirs.classes))
    on = f"on {count} {plural('sample', count)}"
    for quantity, old, new in (
        ("accuracy", ours.accuracy, theirs.accuracy),
        ("agreement", ours.agreement, theirs.agreement),
    ):
        if old is not None and new is not None and old != new:
            yield share_change("measured", quantity, f"{quantity} {on}", old, new)
    if changed:
        verb = "gets" if changed == 1 else "get"
        yield Change(
            "measured",
            "classes",
            f"{changed} of {count} {plural('sample', count)} {verb} another class",
            figures={"changed": changed, "count": count},
        )
    if ours.spikes != theirs.spikes:
        yield Change(
            "measured",
            "spikes",
            f"spikes a sample: {ours.spikes:.1f} → {theirs.spikes:.1f}",
            None,
            ours.spikes,
            theirs.spikes,
            {"ratio": theirs.spikes / ours.spikes} if ours.spikes else {},
        )


def _measure(
    bundle: Bundle,
    dataset: Dataset | EventDataset,
    model: Path | None,
    what: str,
    progress: Progress,
) -> Measured:
    done = 0

    def step(count: int) -> None:
        nonlocal done
        done += count
        progress(what, min(done, dataset.count), dataset.count)

    result = bundle.run(dataset, progress=step)
    classes = result.predictions()
    accuracy = None if dataset.labels is None else float(np.mean(classes == dataset.labels))
    agreement = None
    if model is not None:
        numbers = batch_for(bundle.graph, dataset, bundle.preprocessing).numbers
        compiled = bundle.files.table("model").get("sha256")
        reference = float_results(model, numbers, None, compiled, []).classes
        agreement = None if reference is None else float(np.mean(classes == reference))
    return Measured(classes, accuracy, agreement, result.spikes_per_sample)
