"""Small core maps by chance: all programs, formats, delays and ways, on several cores."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from snncc_ir import Integers
from snncc_loihi.chip import Chip
from snncc_loihi.core_map import Core, CoreMap, Program
from snncc_loihi.words import pack

WIDE = 8
"""An exponent with which weights do not fit 16 bits."""
Block = tuple[int, list[tuple[int, int, int]]]
"""A format, and index (ignored where it has none), delay and stored bits of each synapse."""


@dataclass(frozen=True)
class Format:
    """Fields of a synapse format."""

    weight_bits: int
    sign: int
    index_bits: int
    delay_bits: int
    exponent: int
    run: int


def encoded(blocks: list[Block], formats: list[Format]) -> list[int]:
    """The words of a list, one bit after the other."""
    words = []
    for number, synapses in blocks:
        form, text = formats[number], ""

        def put(value: int, width: int) -> None:
            nonlocal text
            text += "".join(str(value >> i & 1) for i in range(width))

        put(len(synapses) - 1, 6)
        put(number, 4)
        for i, (index, delay, stored) in enumerate(synapses):
            if not (form.run and i):
                put(index, form.index_bits)
            put(delay, form.delay_bits)
            put(stored, form.weight_bits)
        text += "0" * (-len(text) % 64)
        words += [int(text[at : at + 64][::-1], 2) for at in range(0, len(text), 64)]
    return words


class Maker:
    """Draws a map of a chip; the same seed gives the same map."""

    def __init__(self, seed: int, chip: Chip) -> None:
        self.random, self.chip = np.random.default_rng(seed), chip
        self.steps = self.one(1, 8)
        self.unit = 1 << chip.numbers.threshold_shift
        self.counting = self.one(0, 2) == 0
        """Whether there are neurons that count, whose range is left easily."""

    def one(self, low: int, high: int) -> int:
        """Both ends are possible."""
        return int(self.random.integers(low, high + 1))

    def map(self) -> CoreMap:
        """Four inputs; at most four cores, on several chips."""
        count = self.one(1, 4)
        places = sorted(self.random.choice(5 * self.chip.mesh.cores, count, replace=False).tolist())
        made = [self._core(i, place) for i, place in enumerate(places)]
        cores = [self._connected(i, made) for i in range(count)]
        inputs, sent = [], []
        for c, (_, held) in enumerate(made):
            for axon in np.flatnonzero(held):
                inputs += [(self.one(0, 3), c, int(axon)) for _ in range(self.one(1, 2))]
            for _ in range(self.one(0, 3)):
                size = len(cores[c].compartments)
                sent.append((self.one(0, 3), c, self.one(0, size - 1), self.one(-3, 3) * self.unit))
        return CoreMap(
            self.steps,
            self.chip.digest,
            tuple(cores),
            pack("host_axon", _columns(("input", "core", "axon"), sorted(set(inputs)))),
            pack("host_bias", _columns(("input", "core", "compartment"), [s[:3] for s in sent])),
            pack("host_weight", _columns(("weight",), [s[3:] for s in sent])),
        )

    def _core(self, number: int, place: int) -> tuple[Core, list[int]]:
        """Without output axons; and which of its input axons are held."""
        native = self.chip.features.soft_reset == "native"
        profiles: list[tuple[int, ...]] = []
        compartments, labels = [], []
        for neuron in range(self.one(1, 12)):
            first = self.one(0, 3)
            for lane, program in enumerate(self._programs(native)):
                counting = program in (Program.FIRE_SUBTRACT, Program.FIRE_COUNT)
                most = self.one(1, 20) if program == Program.FIRE_SUBTRACT else 127
                sign = self.one(0, 1) if program == Program.FIRE_SUBTRACT else 1
                profile = (int(program), self.one(0, 2), most * counting, sign * counting, first,
                           4095, 0, 1)  # fmt: skip
                if profile not in profiles:
                    profiles.append(profile)
                which = profiles.index(profile)
                bias, start = self.one(-4, 9) * self.unit, self.one(-30, 60) * self.unit
                compartments.append((bias, which, self.one(0, 2), start))
                labels.append((neuron, number % 2 + (neuron > 5), lane))
        formats = [self._format(len(compartments)) for _ in range(self.one(1, 6))]
        axons, synapses = self._lists(formats, len(compartments))
        thresholds = [(self.one(0, 100),) for _ in range(3)]
        core = Core(
            place,
            pack("compartment", _columns(("bias", "profile", "threshold", "start"), compartments)),
            pack("label", _columns(("neuron", "population", "lane"), labels)),
            pack("profile", _columns((
                "program", "bias_exponent", "most", "signed", "first_step", "current_decay",
                "potential_decay", "refractory",
            ), profiles)),
            pack("threshold", _columns(("mantissa",), thresholds)),
            pack("format", _columns(
                ("weight_bits", "sign", "index_bits", "delay_bits", "exponent", "run"),
                [(f.weight_bits, f.sign, f.index_bits, f.delay_bits, f.exponent, f.run)
                 for f in formats],
            )),
            pack("input_axon", _columns(("pointer", "words", "base", "held"), axons)),
            np.array(synapses, np.uint64),
            np.zeros(0, np.uint64),
        )  # fmt: skip
        return core, [axon[3] for axon in axons]

    def _programs(self, native: bool) -> list[Program]:
        several = [Program.INTEGRATE, *[Program.INTEGRATE_MAX] * self.one(0, 2)]
        choices = [[Program.INTEGRATE], [Program.FIRE_ZERO], [*several, Program.FIRE_JOINED]]
        if native:
            choices += [[Program.FIRE_SUBTRACT]] * 3
        if native and self.counting:
            choices += [[*several, Program.FIRE_COUNT]]
        return choices[self.one(0, len(choices) - 1)]

    def _format(self, size: int) -> Format:
        run = int(self.one(0, 2) == 0)
        indexed = self.one(0, 1) or run
        index_bits = max((size - 1).bit_length(), 1) + self.one(0, 2) if indexed else 0
        wide = not self.chip.numbers.weight_shift and self.one(0, 14) == 0
        return Format(self.one(1, 8), self.one(0, 2), index_bits, self.one(0, 3),
                      WIDE if wide else self.one(0, 1), run)  # fmt: skip

    def _lists(
        self, formats: list[Format], size: int
    ) -> tuple[list[tuple[int, int, int, int]], list[int]]:
        axons: list[tuple[int, int, int, int]] = []
        words: list[int] = []
        nearest: dict[tuple[int, int], int] = {}
        """By pointer and words, how far behind its base each list begins."""
        for _ in range(self.one(1, 10)):
            held, base = int(self.chip.features.held_currents and self.one(0, 3) == 0), 0
            if axons and self.one(0, 3) == 0:
                # the words of another, a little before it
                pointer, count, base, held = axons[self.one(0, len(axons) - 1)]
                axons.append(
                    (pointer, count, self.one(min(-nearest[pointer, count], base), base), held)
                )
                continue
            base = self.one(0, size - 1)
            blocks = [self._block(formats, size - base, held) for _ in range(self.one(0, 3))]
            dense = 0
            cut = self._cut(blocks, formats, size - base, dense)
            found = encoded(cut, formats)
            nearest[len(words), len(found)] = _nearest(cut, formats)
            axons.append((len(words), len(found), base, held))
            words += found
        return axons, words

    def _block(self, formats: list[Format], room: int, held: int) -> Block:
        number = self.one(0, len(formats) - 1)
        form = formats[number]
        count = self.one(1, min(64, room) if form.run or not form.index_bits else 64)
        first = self.one(0, room - count) if form.run else 0
        synapses = []
        for i in range(count):
            index = first + i if form.run else self.one(0, room - 1)
            delay = 0 if held else self.one(0, (1 << form.delay_bits) - 1)
            stored = self.one(0, (1 << form.weight_bits) - 1)
            synapses.append((index, delay, stored if self.one(0, 3) else 0))
        return number, synapses

    def _cut(
        self, blocks: list[Block], formats: list[Format], room: int, dense: int
    ) -> list[Block]:
        """Dense synapses beyond the last compartment get the weight 0."""
        found = []
        for number, synapses in blocks:
            kept = []
            for index, delay, stored in synapses:
                if not formats[number].index_bits:
                    stored, dense = stored if dense < room else 0, dense + 1
                kept.append((index, delay, stored))
            found.append((number, kept))
        return found

    def _connected(self, number: int, made: list[tuple[Core, list[int]]]) -> Core:
        core = made[number][0]
        found = []
        for compartment in range(len(core.compartments)):
            for target, (_, held) in enumerate(made):
                open_axons = [axon for axon, kept in enumerate(held) if not kept]
                if open_axons and self.one(0, 2):
                    axon = open_axons[self.one(0, len(open_axons) - 1)]
                    found.append((compartment, target, axon))
        words = pack("output_axon", _columns(("compartment", "core", "axon"), found))
        return Core(core.place, core.compartments, core.labels, core.profiles, core.thresholds,
                    core.formats, core.input_axons, core.synapses, words)  # fmt: skip


def _nearest(blocks: list[Block], formats: list[Format]) -> int:
    """The smallest index with a weight that is not 0; dense synapses are taken to begin at 0."""
    indices = [
        index if formats[number].index_bits else 0
        for number, synapses in blocks
        for index, _, stored in synapses
        if stored
    ]
    return min(indices, default=0)


def _columns(names: tuple[str, ...], rows: Sequence[tuple[int, ...]]) -> dict[str, Integers]:
    table = np.array(rows, np.int64).reshape(len(rows), len(names))
    return {name: table[:, i] for i, name in enumerate(names)}
