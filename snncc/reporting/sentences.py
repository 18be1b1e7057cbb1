"""The report in sentences: what a person should know before looking at a picture."""

from collections.abc import Iterator

from snncc.reporting.facts import Facts
from snncc.reporting.measured import TEST_VECTORS
from snncc.reporting.steps import largest_loss
from snncc.verify import Verification
from snncc.words import (
    decibels,
    duration,
    energy,
    large,
    percent,
    points,
    share,
    size,
)
from snncc_ir import FirstSpike, Radix, Rate


def sentences(facts: Facts) -> list[str]:
    """What it is, how good it is, where accuracy is lost, what it costs, whether it fits."""
    found = facts.measured.verification
    lines = [_network(facts)]
    lines += list(_quality(facts, found)) if found else [_unmeasured(facts)]
    lines += _lost(facts)
    lines += _early(found)
    lines += [_cost(facts)]
    lines += [section.sentence for section in facts.sections if section.sentence]
    lines += _exact(found)
    return lines


def coding(facts: Facts) -> str:
    """The code in words."""
    match facts.graph.code:
        case FirstSpike(steps=steps):
            return f"time to first spike in {steps} slots"
        case Radix(steps=steps):
            return f"radix code of {steps} binary digits"
        case Rate(steps=steps, most=most):
            graded = f", up to {most} spikes at once" if most > 1 else ""
            return f"rate code in {steps} time step{'s' if steps > 1 else ''}{graded}"
    return "no spikes"


def _network(facts: Facts) -> str:
    summary = facts.bundle.summary
    weights, bits = (_number(summary.get(key)) for key in ("weights", "weight_bits"))
    name = facts.bundle.files.table("model").get("name")
    each = f" of {bits / weights:.3g} bits" if weights else ""
    return (
        f"{name} on target {facts.target}: {coding(facts)}; {len(facts.layers)} layers with "
        f"{_number(summary.get('neurons')):,.0f} spiking neurons and {weights:,.0f} weights{each} "
        f"({size(bits)})."
    )


def _quality(facts: Facts, found: Verification) -> Iterator[str]:
    measured = facts.measured
    every = measured.samples == measured.available
    which = f"{measured.samples} samples" if every else (
        f"the first {measured.samples} of {measured.available} samples"
    )  # fmt: skip
    last, exact = found.last, found.float_accuracy
    if exact is not None and last.accuracy is not None:
        yield (
            f"On {which} the float network is right on {share(exact)}, the chip on "
            f"{share(last.accuracy)}: {points(exact.value, last.accuracy.value)}."
        )
        which = "them"
    if last.agreement is not None:
        yield f"Both choose the same class on {share(last.agreement)} of {which}."
    else:
        yield f"On {which} the first output is {decibels(last.snr)} dB above its error."


def _unmeasured(facts: Facts) -> str:
    rows = facts.bundle.waterfall
    last = rows[-1] if rows else None
    hint = "accuracy on data of your own needs --model and --data"
    if last is None:
        return f"Nothing was measured when it was compiled; {hint}."
    if last.agreement is not None:
        return (
            f"On calibration samples its value semantics has the float network's class on "
            f"{percent(last.agreement)}; {hint}."
        )
    return f"On calibration samples its signal to noise is {decibels(last.snr)} dB; {hint}."


def _lost(facts: Facts) -> list[str]:
    """Which pass, and which layer."""
    lines = []
    worst = largest_loss(facts.bundle.waterfall)
    if worst is not None:
        step, lost = worst
        name = step.step.partition("{")[0]
        in_time = " (it corrects what happens in time, which value semantics does not see)"
        lines.append(
            f"In value semantics {name} changes most: after this pass {percent(lost)} of the "
            "calibration samples leave the float network's class"
            f"{in_time if name == 'calibrate-rate' else ''}."
        )
    if facts.quality is not None and facts.quality.rows:
        noisiest = max(facts.quality.rows, key=lambda row: row.losses["own"])
        own = noisiest.losses["own"]
        lines.append(
            f"No layer loses much by itself: at most {percent(own)} of what it should say, in "
            f"{noisiest.name}."
            if noisiest.finding.cause == "none"
            else f"The layer with the largest error of its own is {noisiest.name}: "
            f"{noisiest.reason}."
        )
    return lines


def _early(found: Verification | None) -> list[str]:
    if found is None or found.early is None:
        return []
    early = found.early
    quality = "" if early.accuracy is None else f", with an accuracy of {share(early.accuracy)}"
    return [
        f"With early exit at margin {early.margin:.3g} a sample takes {early.mean_steps:.2f} steps "
        f"on average{quality}."
    ]


def _cost(facts: Facts) -> str:
    measured = facts.measured
    estimate = measured.estimate
    counts = measured.execution
    spikes = sum(float(count.mean()) for count in counts.spike_counts.values())
    text = f"A sample causes {large(spikes)} spikes"
    if counts.synaptic_operations:
        operations = sum(float(each.mean()) for each in counts.synaptic_operations.values())
        text += f" and {large(operations)} synaptic operations"
    if measured.data == TEST_VECTORS:
        text += f" (mean of {measured.samples} test vectors)"
    if estimate is None:
        return f"{text}; target {facts.target} estimates no energy."
    cause, most = max(estimate.parts.items(), key=lambda part: part[1], default=("", 0.0))
    mostly = (
        f", {100 * most / estimate.microjoules:.0f} % of it for {cause.replace('_', ' ')}"
        if estimate.microjoules
        else ""
    )
    return (
        f"{text}. That takes {energy(estimate.microjoules)}{mostly}, and "
        f"{duration(estimate.milliseconds)} ({estimate.assumptions})."
    )


def _exact(found: Verification | None) -> list[str]:
    if found is None:
        return []
    compared = [found.vectors, *([found.exact] if found.exact else [])]
    for each in compared:
        if not each.holds:
            return [f"NOT exact: {each.difference}."]
    spikes, samples = (sum(getattr(e, key) for e in compared) for key in ("spikes", "samples"))
    return [f"Exact: {spikes:,} spikes of {samples} samples are the oracle's, every one."]


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
