"""That nothing overflows, whatever the network's input is, proven from sums of magnitudes.

In a step, a compartment hears at most `up` and at least −`down`: accumulators have to hold both,
which is then true of any part of the sum, too. Potentials are followed over T steps at work:
v = v + u. Of any k steps in a row,

    Σ u ≤ k·R + min(k, T − k)·S,

where S is what signed senders may take back through negative weights: the sum of what one has
sent is never below 0, so that in k steps it takes back at most what it has sent in the T − k
others. From the first step on, S does not count: there is nothing to be taken back.

*Upward.* Let a neuron that has v > A after a step take G away before it hears the next. From the
last step after which v ≤ A, or else from the start, to k steps later:

    v ≤ start + k·R − (k − 1)·G,  k ≤ T,  or  v ≤ A + k·R + min(k, T − k)·S − (k − 1)·G,  k < T,

both piecewise linear in k: largest at 1, about T/2 or the end. FIRE_SUBTRACT has A = θ − 1 and
G = most·θ, since v ≥ θ after firing means that `most` were sent; what a signed neuron takes back
leaves v below θ. FIRE_ZERO has A = vth, and never more. Coupled compartments have A = vth, and G
is what their own spike takes back. And of all, whatever a neuron takes off is not negative in
total, so that v ≤ start + T·max(R, 0): the only bound where nothing fires. There, spikes count in
those steps only in which their neuron and this one are at work (a readout may begin later).

*Downward*, with R and S of the other direction. From the last step after which v ≥ 0, or from the
start, nothing lowers a neuron that fires by itself: v ≥ start − k·R, or v ≥ −k·R − min(k, T − k)·S
with k < T. For a coupled pair it is the last step with v > vth, after which the spike takes G:
vth + 1 − G instead of 0. Where a pair has several lanes (a max pool), the spike may be another's:
it counts as what arrives in each step, and v ≥ start − T·max(R, 0), as of what never fires.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from snncc_ir import Floats, Integers
from snncc_loihi.check_subject import Finding, Subject, Use, worst
from snncc_loihi.check_sums import Arrivals, programs
from snncc_loihi.core_map import Core, Program

ALWAYS = 1e30
"""More than any potential: of a neuron that keeps nothing when it fires."""
MOST = 1 << 62


@dataclass(frozen=True)
class Extremes:
    """Of what holds a potential in a core, in units of potentials; 0 of other compartments."""

    high: Floats
    low: Floats


def arriving(subject: Subject) -> Iterator[Finding]:
    """What arrives at a compartment in a step fits `accumulator_bits`; so does what it holds."""
    most = (1 << (subject.chip.numbers.accumulator_bits - 1)) - 1
    for core, heard in zip(subject.cores, subject.arrivals, strict=True):
        for what, (up, down) in (
            ("arrives", _in_a_step(heard)),
            ("is held", (heard.held, heard.held)),
        ):
            where = f"what {what} at compartment {{}}"
            yield from worst(core, where, _whole(up), most)
            yield from worst(core, where, -_whole(down), most, -most - 1)


def arriving_used(subject: Subject) -> Use:
    found = [
        max(float(each.max(initial=0)) for each in (*_in_a_step(heard), heard.held))
        for heard in subject.arrivals
    ]
    most = (1 << (subject.chip.numbers.accumulator_bits - 1)) - 1
    return Use(_whole(np.array(found)), most)


def _in_a_step(heard: Arrivals) -> tuple[Floats, Floats]:
    both = heard.signed_positive + heard.signed_negative
    return heard.positive + both, heard.negative + both


def potentials(subject: Subject) -> Iterator[Finding]:
    """Potentials fit `potential_bits` in all time steps, whatever the input is."""
    most = (1 << (subject.chip.numbers.potential_bits - 1)) - 1
    for core, found in zip(subject.cores, potentials_reached(subject), strict=True):
        start = core.compartment_fields["start"]
        known = (start <= most) & (start >= -most - 1)  # of others `starts` tells
        where = "the potential of compartment {}"
        yield from worst(core, where, _whole(found.high * known), most, -most - 1)
        yield from worst(core, where, _whole(found.low * known), most, -most - 1)


def potentials_used(subject: Subject) -> Use:
    largest = [
        max(float(found.high.max(initial=0)), float((-found.low).max(initial=0)))
        for found in potentials_reached(subject)
    ]
    most = (1 << (subject.chip.numbers.potential_bits - 1)) - 1
    return Use(_whole(np.array(largest)), most)


def counted_spikes(subject: Subject) -> Iterator[Finding]:
    """What FIRE_COUNT sends in a step is within its `most`, and never below 0 in total."""
    for core, heard in zip(subject.cores, subject.arrivals, strict=True):
        counts = programs(core)[heard.closing] == Program.FIRE_COUNT
        lanes, closers = heard.lanes[counts], heard.closing[counts]
        profile = core.compartment_fields["profile"][closers]
        most = core.profile_fields["most"][profile]
        signed = core.profile_fields["signed"][profile]
        start = core.compartment_fields["start"][lanes]
        up, down = (each[lanes] for each in _currents(core, heard, subject))
        scale = float(1 << subject.chip.numbers.weight_shift)
        rises = up + heard.signed_negative[lanes] * scale + np.maximum(start, 0)
        lowers = down - np.minimum(start, 0)
        falls = lowers + heard.signed_positive[lanes] * scale
        for what, used, limit in (
            ("a spike", rises, most),
            ("what a spike takes back", falls, most * signed),
            ("what lowers a count", lowers, np.zeros(len(lanes))),
        ):
            over = used > limit
            for i in np.flatnonzero(over)[:1].tolist():
                which = f"{what} of compartment {closers[i]}"
                yield Finding(core.place, which, int(_whole(used)[i]), int(limit[i]))


def coupled_compartments(subject: Subject) -> Iterator[Finding]:
    """What FIRE_JOINED sends comes back in the next step, and only takes from what it joins."""
    for core, heard in zip(subject.cores, subject.arrivals, strict=True):
        if not heard.decodes:
            continue
        fires = programs(core)[heard.closing] == Program.FIRE_JOINED
        lanes, closers = heard.lanes[fires], heard.closing[fires]
        for i in np.flatnonzero(heard.returned[lanes] == 0)[:1].tolist():
            what = f"what a spike of compartment {closers[i]} takes from {lanes[i]}"
            yield Finding(core.place, what, 0, 1, "1 or more")
        for i in np.flatnonzero(heard.strays[lanes])[:1].tolist():
            what = f"the number of other synapses from compartment {closers[i]} to {lanes[i]}"
            yield Finding(core.place, what, int(heard.strays[lanes[i]]), 0)


def _currents(core: Core, heard: Arrivals, subject: Subject) -> tuple[Floats, Floats]:
    """R upward and downward, with the bias."""
    unit = float(1 << subject.chip.numbers.weight_shift)
    fields = core.compartment_fields
    scale = np.left_shift(1, core.profile_fields["bias_exponent"])[fields["profile"]]
    up = (heard.positive + heard.signed_positive + heard.held) * unit
    down = (heard.negative + heard.signed_negative + heard.held) * unit
    return up + (fields["bias"] + heard.host) * scale, down - (fields["bias"] - heard.host) * scale


def potentials_reached(subject: Subject) -> Iterator[Extremes]:
    for core, heard in zip(subject.cores, subject.arrivals, strict=True):
        yield _of_core(core, heard, subject)


def _of_core(core: Core, heard: Arrivals, subject: Subject) -> Extremes:
    steps, numbers, program = subject.core_map.steps, subject.chip.numbers, programs(core)
    unit, size = float(1 << numbers.weight_shift), len(program)
    fields, start = core.compartment_fields, core.compartment_fields["start"].astype(np.float64)
    up, down = _currents(core, heard, subject)
    subtracts, zero = program == Program.FIRE_SUBTRACT, program == Program.FIRE_ZERO
    threshold = _thresholds(core) * float(1 << numbers.threshold_shift)
    theta = threshold + float(1 << numbers.threshold_shift)
    calm, taken = np.full(size, np.inf), np.full(size, ALWAYS)
    calm[subtracts], calm[zero] = (theta - 1)[subtracts], threshold[zero]
    taken[subtracts] = (theta * core.profile_fields["most"][fields["profile"]])[subtracts]
    left = np.where(subtracts | zero, 0.0, np.inf)
    fires = (program[heard.closing] == Program.FIRE_JOINED) & (heard.returned[heard.lanes] > 0)
    lanes, closers = heard.lanes[fires], heard.closing[fires]
    calm[lanes], taken[lanes] = threshold[closers], heard.returned[lanes] * unit
    alone = np.bincount(heard.closing, minlength=size)[closers] == 1
    pairs, second = lanes[alone], closers[alone]
    down[pairs] -= taken[pairs]
    left[pairs] = threshold[second] + 1 - taken[pairs]
    none, keeps = np.zeros(size), np.isinf(calm)
    rise, fall = steps * np.maximum(up, 0), steps * np.maximum(down, 0)
    heard_up, heard_down = _heard(core, heard, subject)
    most = start + np.where(keeps, np.minimum(rise, heard_up), rise)
    low = np.minimum(left, start - np.where(keeps, np.minimum(fall, heard_down), fall))
    high = start + np.maximum(_furthest(up, none, steps, steps, taken), 0)
    if steps > 1:
        rises = _furthest(up, heard.signed_negative * unit, steps, steps - 1, taken)
        falls = _furthest(down, heard.signed_positive * unit, steps, steps - 1, none)
        high = np.maximum(high, np.where(keeps, most, calm + rises))
        low = np.minimum(low, left - np.maximum(falls, 0))
    high = np.minimum(high, most)
    holds = ~np.isin(program, (Program.FIRE_JOINED, Program.FIRE_COUNT))
    return Extremes(np.where(holds, high, 0), np.where(holds, low, 0))


def _heard(core: Core, heard: Arrivals, subject: Subject) -> tuple[Floats, Floats]:
    """What can be heard upward and downward in all steps, and what held currents and biases add."""
    unit, steps = float(1 << subject.chip.numbers.weight_shift), subject.core_map.steps
    up, down = _currents(core, heard, subject)
    spikes = (heard.positive + heard.signed_positive, heard.negative + heard.signed_negative)
    rise, fall = (
        unit * (steps * each - unheard) + steps * np.maximum(current - unit * each, 0)
        for each, unheard, current in zip(spikes, heard.unheard, (up, down), strict=True)
    )
    return rise, fall


def _furthest(each: Floats, back: Floats, steps: int, longest: int, taken: Floats) -> Floats:
    """max over k of k·each + min(k, steps − k)·back − (k − 1)·taken, 1 ≤ k ≤ longest."""
    found = np.full(len(each), -np.inf)
    for k in {1, steps // 2, -(-steps // 2), longest} & set(range(1, longest + 1)):
        found = np.maximum(found, k * each + min(k, steps - k) * back - (k - 1) * taken)
    return found


def _thresholds(core: Core) -> Floats:
    """Mantissa of each compartment; 0 where a core has none."""
    mantissas = core.threshold_mantissas if len(core.thresholds) else np.zeros(1, np.int64)
    return mantissas[core.compartment_fields["threshold"]].astype(np.float64)


def _whole(numbers: Floats) -> Integers:
    """As integers; what is beyond 2^62, as that."""
    found: Integers = np.clip(numbers, -MOST, MOST).astype(np.int64)
    return found


OVERFLOW = (arriving, potentials, counted_spikes, coupled_compartments)
