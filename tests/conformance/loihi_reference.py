"""Core maps run by the book: docs/targets/loihi.md in plain Python, bit by bit and spike by spike.

It shares nothing with the simulator, nor with what reads maps: words are taken apart here again.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from snncc_loihi.chip import Chip
from snncc_loihi.core_map import Core, CoreMap

COSTS = "sana-fe"
"""Those of which the time of no event is 0."""


def bits(word: int, low: int, count: int, signed: bool = False) -> int:
    number = (word >> low) & ((1 << count) - 1)
    return number - (1 << count) if signed and number >> (count - 1) else number


@dataclass(frozen=True)
class Synapse:
    target: int
    delay: int
    weight: int
    dense: bool


def synapses_of(core: Core, axon: int, chip: Chip) -> list[Synapse]:
    """All synapses of an input axon; its words as one long number, lowest bits first."""
    word = int(core.input_axons[axon])
    pointer, words, base = bits(word, 0, 20), bits(word, 20, 16), bits(word, 36, 16, True)
    stream = sum(int(w) << (64 * i) for i, w in enumerate(core.synapses[pointer : pointer + words]))
    found, at, dense_so_far = [], 0, 0
    while at < 64 * words:
        count, form = bits(stream, at, 6) + 1, int(core.formats[bits(stream, at + 6, 4)])
        at += 10
        weight_bits, sign, index_bits = bits(form, 0, 4), bits(form, 4, 2), bits(form, 6, 4)
        delay_bits, exponent, run = bits(form, 10, 3), bits(form, 13, 5, True), bits(form, 18, 1)
        index = 0
        for i in range(count):
            if index_bits and not (run and i):
                index = bits(stream, at, index_bits)
                at += index_bits
            elif run:
                index += 1
            delay = bits(stream, at, delay_bits)
            stored = bits(stream, at + delay_bits, weight_bits, sign == 0)
            at += delay_bits + weight_bits
            step = 0
            if chip.numbers.mixed_step:
                step = 8 - weight_bits + (1 if sign == 0 else 0)
            weight = (-stored if sign == 2 else stored) * 2 ** (step + exponent)
            target = base + (index if index_bits else dense_so_far)
            dense_so_far += not index_bits
            if stored:
                found.append(Synapse(target, delay, int(weight), not index_bits))
        at = -(-at // 64) * 64
    return found


@dataclass
class Compartment:
    program: int
    first: int
    bias: int
    exponent: int
    most: int
    signed: int
    mantissa: int
    v: int
    sent: int = 0
    held: int = 0
    arriving: dict[int, int] = field(default_factory=lambda: defaultdict(int))


@dataclass
class Told:
    """spikes: (step, core, compartment) → payload. potentials: (step, core, compartment) → v.
    totals: by counter, over all cores. picoseconds of all steps."""

    spikes: dict[tuple[int, int, int], int] = field(default_factory=dict)
    potentials: dict[tuple[int, int, int], int] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    picoseconds: int = 0


class OutOfRange(Exception):
    """A number does not fit: core, compartment and step."""


class Reference:
    """One map on one chip; `run` begins anew with each sample."""

    def __init__(self, core_map: CoreMap, chip: Chip) -> None:
        self.map, self.chip = core_map, chip
        self.axons = [
            [synapses_of(core, axon, chip) for axon in range(len(core.input_axons))]
            for core in core_map.cores
        ]
        self.outputs: list[dict[int, list[tuple[int, int]]]] = []
        for core in core_map.cores:
            reached: dict[int, list[tuple[int, int]]] = defaultdict(list)
            for word in map(int, core.output_axons):
                reached[bits(word, 0, 16)].append((bits(word, 16, 24), bits(word, 40, 16)))
            self.outputs.append(reached)

    def _compartments(self, core: Core) -> list[Compartment]:
        found = []
        for word in map(int, core.compartments):
            profile = int(core.profiles[bits(word, 16, 8)])
            which = bits(word, 24, 16)
            mantissa = bits(int(core.thresholds[which]), 0, 32) if len(core.thresholds) else 0
            found.append(Compartment(
                bits(profile, 0, 4), bits(profile, 16, 16), bits(word, 0, 16, True),
                bits(profile, 4, 4), bits(profile, 8, 7), bits(profile, 15, 1), mantissa,
                bits(word, 40, 24, True),
            ))  # fmt: skip
        return found

    def run(self, inputs: list[int], steps: int, window: int) -> Told:
        """Raises OutOfRange for the first number that does not fit."""
        told, numbers = Told(), self.chip.numbers
        cores = [self._compartments(core) for core in self.map.cores]
        work = [0] * len(cores)
        self._host(cores, inputs, told, work)
        for c, core in enumerate(cores):
            for i, each in enumerate(core):
                if each.program not in (2, 5):
                    self._fit(each.held, numbers.accumulator_bits, c, i, 0)
                    if abs(each.bias) > numbers.bias_mantissa:
                        raise OutOfRange(c, i, 0)
        for step in range(steps):
            longest = 0
            for c, core in enumerate(cores):
                joined = 0
                for i, each in enumerate(core):
                    payload, active = 0, False
                    arrived = each.arriving.pop(step, 0)
                    if each.first <= step < each.first + window:
                        payload, active, joined = self._step(each, arrived, joined, c, i, step)
                    told.potentials[step, c, i] = each.v
                    kind = "active" if active else "idle"
                    told.totals[f"updates_{kind}"] += 1
                    work[c] += self._time(f"update_{kind}")
                    if payload:
                        each.sent += payload
                        told.spikes[step, c, i] = payload
                        told.totals["spikes"] += 1
                        told.totals["payload"] += abs(payload)
                        work[c] += self._time("spike")
                        longest = max(longest, self._send(cores, c, i, payload, step, told, work))
            told.picoseconds += max(work) + longest + self._time("barrier")
            work = [0] * len(cores)
        return told

    def _host(
        self, cores: list[list[Compartment]], inputs: list[int], told: Told, work: list[int]
    ) -> None:
        for word in map(int, self.map.host_axons):
            number, c = inputs[bits(word, 0, 24)], bits(word, 24, 24)
            if number:
                told.totals["host"] += 1
                for synapse in self._hit(c, bits(word, 48, 16), told, work):
                    cores[c][synapse.target].held += number * synapse.weight
        for bias, weight in zip(self.map.host_biases, self.map.host_weights, strict=True):
            word = int(bias)
            target = cores[bits(word, 24, 24)][bits(word, 48, 16)]
            target.bias += inputs[bits(word, 0, 24)] * bits(int(weight), 0, 32, True)

    def _hit(self, core: int, axon: int, told: Told, work: list[int]) -> list[Synapse]:
        found = self.axons[core][axon]
        for synapse in found:
            kind = "dense" if synapse.dense else "sparse"
            told.totals[f"synapses_{kind}"] += 1
            work[core] += self._time(f"synapse_{kind}")
        work[core] += self._time("receive")
        return found

    def _step(
        self, each: Compartment, arrived: int, joined: int, c: int, i: int, step: int
    ) -> tuple[int, bool, int]:
        """Payload, whether active, and what is handed on."""
        numbers = self.chip.numbers
        level = each.mantissa << numbers.threshold_shift
        if each.program == 2:
            payload = int(joined > level)
            return payload, bool(payload), joined
        if each.program == 5:
            payload = joined // ((each.mantissa + 1) << numbers.threshold_shift) - each.sent
            if not (-each.most if each.signed else 0) <= payload <= each.most:
                raise OutOfRange(c, i, step)
            return payload, bool(payload), joined
        self._fit(arrived, numbers.accumulator_bits, c, i, step)
        u = ((arrived + each.held) << numbers.weight_shift) + (each.bias << each.exponent)
        each.v += u
        self._fit(each.v, numbers.potential_bits, c, i, step)
        payload = 0
        if each.program == 0:
            joined = each.v
        elif each.program == 1:
            joined = max(joined, each.v)
        elif each.program == 3 and each.v > level:
            payload, each.v = 1, 0
        elif each.program == 4:
            theta = (each.mantissa + 1) << numbers.threshold_shift
            least = -min(each.sent, each.most) if each.signed else 0
            payload = min(max(each.v // theta, least), each.most)
            each.v -= payload * theta
            self._fit(each.v, numbers.potential_bits, c, i, step)
        return payload, bool(u or payload), joined

    def _fit(self, number: int, width: int, c: int, i: int, step: int) -> None:
        if not -(1 << (width - 1)) <= number < 1 << (width - 1):
            raise OutOfRange(c, i, step)

    def _send(
        self, cores: list[list[Compartment]], c: int, i: int, payload: int, step: int, told: Told,
        work: list[int],
    ) -> int:  # fmt: skip
        """Picoseconds of the longest way."""
        mesh, longest = self.chip.mesh, 0
        here = mesh.address(self.map.cores[c].place)
        for core, axon in self.outputs[c].get(i, []):
            there = mesh.address(self.map.cores[core].place)
            told.totals["messages_in_tile" if here[:2] == there[:2] else "messages_remote"] += 1
            told.totals["received"] += 1
            work[c] += self._time("message")
            longest = max(longest, self._walk(here[2:], there[2:], told))
            for synapse in self._hit(core, axon, told, work):
                arriving = cores[core][synapse.target].arriving
                arriving[step + 1 + synapse.delay] += payload * synapse.weight
        return longest

    def _walk(self, start: tuple[int, int], end: tuple[int, int], told: Told) -> int:
        """From tile to tile, along x and then along y."""
        mesh, time, at = self.chip.mesh, 0, list(start)
        for axis, size in ((0, mesh.width), (1, mesh.height)):
            while at[axis] != end[axis]:
                before = at[axis] // size
                at[axis] += 1 if end[axis] > at[axis] else -1
                hop = "hop_x" if axis == 0 else "hop_y"
                if at[axis] // size != before:
                    told.totals["chip_links"] += 1
                    time += self._time("chip_link")
                else:
                    told.totals["hops_x" if axis == 0 else "hops_y"] += 1
                    time += self._time(hop)
        return time

    def _time(self, event: str) -> int:
        costs = self.chip.costs[COSTS]
        return round(1000 * float(getattr(costs, event).nanosecond))
