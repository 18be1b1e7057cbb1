"""A core map in memory: every core's words, and what the host sends.

`binary.py` writes and reads it; the simulator, the checker and the exports take it as it is.
"""

from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property

from snncc_ir import Integers
from snncc_loihi.words import Words, unpack


class Program(IntEnum):
    """What a compartment does in a time step, after its current u has been summed up.

    u: what arrived; with it the current of held axons and the bias, from `first_step` on. `joined`
    is handed from each compartment to the next of its core; vth is the threshold's mantissa.
    """

    INTEGRATE = 0
    """v += u; joined = v."""
    INTEGRATE_MAX = 1
    """v += u; joined = max(joined, v)."""
    FIRE_JOINED = 2
    """Fires 1 when joined > vth. Has no potential of its own."""
    FIRE_ZERO = 3
    """v += u; fires 1 when v > vth, then v = 0: the native neuron of Loihi 1."""
    FIRE_SUBTRACT = 4
    """v += u; sends n = clip(⌊v / (vth + 1)⌋, least, most), v −= n·(vth + 1); least is 0, or of
    a signed neuron −min(net spikes sent, most)."""
    FIRE_COUNT = 5
    """Sends ⌊joined / (vth + 1)⌋ − what it has sent so far."""


@dataclass(frozen=True)
class Core:
    """The memories of one core, as words of `words.LAYOUTS`.

    place: number of the physical core: chip · cores a chip + core. labels: which neuron of which
    population each compartment belongs to; no chip needs them. output_axons: sorted by compartment.
    """

    place: int
    compartments: Words
    labels: Words
    profiles: Words
    thresholds: Words
    formats: Words
    input_axons: Words
    synapses: Words
    output_axons: Words

    @cached_property
    def compartment_fields(self) -> dict[str, Integers]:
        return unpack("compartment", self.compartments)

    @cached_property
    def label_fields(self) -> dict[str, Integers]:
        return unpack("label", self.labels)

    @cached_property
    def profile_fields(self) -> dict[str, Integers]:
        return unpack("profile", self.profiles)

    @cached_property
    def threshold_mantissas(self) -> Integers:
        return unpack("threshold", self.thresholds)["mantissa"]

    @cached_property
    def format_fields(self) -> dict[str, Integers]:
        return unpack("format", self.formats)

    @cached_property
    def input_axon_fields(self) -> dict[str, Integers]:
        return unpack("input_axon", self.input_axons)

    @cached_property
    def output_axon_fields(self) -> dict[str, Integers]:
        return unpack("output_axon", self.output_axons)


@dataclass(frozen=True)
class CoreMap:
    """A network on cores.

    steps: time steps of the code; a compartment is at work in the steps first_step to
    first_step + steps − 1, and otherwise keeps its potential and hears nothing. host_axons: at step
    0 the host sends each input number as a graded spike to these axons, which hold it. host_biases:
    at step 0 the host adds to each compartment's bias an input number times its host_weight.
    chip_digest: SHA-256 of the chip's description.
    """

    steps: int
    chip_digest: bytes
    cores: tuple[Core, ...]
    host_axons: Words
    host_biases: Words
    host_weights: Words

    @property
    def last_step(self) -> int:
        """Time steps of the chip in all."""
        first = [int(core.profile_fields["first_step"].max(initial=0)) for core in self.cores]
        return max(first, default=0) + self.steps
