"""The way from the float network to the chip, step by step: where accuracy is lost."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from snncc.passes.manager import Measurement
from snncc.shares import Share
from snncc.verify import Verification

CALIBRATION = "calibration data"


@dataclass(frozen=True)
class Step:
    """name: of the pass, or `float`, `closed form`, `chip`. detail: the pass with its options.

    data: what it was measured on. accuracy, agreement: with the classes of the data, and of the
    float network, 0 to 1; as intervals where they are of test data. snr: dB of the first output,
    None when equal.
    """

    name: str
    detail: str
    promise: str
    data: str
    accuracy: float | None
    agreement: float | None
    snr: float | None
    accuracy_share: Share | None = None
    agreement_share: Share | None = None


def way(
    waterfall: Sequence[Measurement], found: Verification | None, data: str
) -> tuple[Step, ...]:
    """float, the passes on calibration data, closed form and chip on `data`."""
    steps = [
        Step(
            row.step.partition("{")[0],
            row.step,
            row.promise,
            CALIBRATION,
            row.accuracy,
            row.agreement,
            row.snr,
        )
        for row in waterfall
    ]
    if found is None:
        return tuple(steps)
    exact = found.float_accuracy
    first = Step("float", "onnxruntime", "-", data, _value(exact), None, None, exact)
    last = [
        Step(
            name,
            detail,
            "-",
            data,
            _value(at.accuracy),
            _value(at.agreement),
            at.snr,
            at.accuracy,
            at.agreement,
        )
        for name, detail, at in (
            ("closed form", "value semantics of the last graph", found.closed_form),
            ("chip", found.runner.partition(" (")[0], found.last),
        )
    ]
    return (first, *steps, *last)


def largest_loss(waterfall: Sequence[Measurement]) -> tuple[Measurement, float] | None:
    """The pass after which most samples lose the float network's class, and the share of them.

    None where nothing is lost, or where there are no classes.
    """
    worst: tuple[Measurement, float] | None = None
    for before, after in pairwise(waterfall):
        if before.agreement is None or after.agreement is None:
            continue
        lost = before.agreement - after.agreement
        if lost > 0 and (worst is None or lost > worst[1]):
            worst = after, lost
    return worst


def _value(share: Share | None) -> float | None:
    return None if share is None else share.value
