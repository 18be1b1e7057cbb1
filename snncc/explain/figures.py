"""What `snncc explain` knows of each layer."""

from collections.abc import Mapping
from dataclasses import dataclass

from snncc.explain.reasons import Finding


@dataclass(frozen=True)
class LayerFigures:
    """One population of the network, in the order of the way through it.

    origin: the nodes of the user's model. kind: `spiking` or `readout`. code: of its spikes. scale:
    mean of λ, the number that one unit stands for; largest: mean of the largest number that a
    neuron can send (None for a readout). snr: signal to noise in dB of the chip's numbers against
    the float network's, None where they are equal; snr_closed: of value semantics, which for the
    rate code is what neurons would send if currents were even; snr_own: of this layer alone,
    against what the float layer makes of the very numbers that arrive. losses: what that is made
    of, as shares of the energy of what is due, 0..; see `reasons`. gain: how much larger than due
    what is sent is, None where nothing is due. clipped: share of numbers above `largest`. dead:
    neurons that never fire although the float network's are not 0 throughout; dead_in_float: those
    that are; saturated: neurons that send the largest number in nine samples of ten. spikes and
    synaptic_operations: a sample; the latter None where the target does not count them. agreement,
    accuracy: of the float network that is fed with the chip's numbers up to here, 0..1 (None where
    there are no classes, or no labels, or no cut was made here).
    finding: why its own loss is what it is, in a sentence with figures.
    """

    name: str
    origin: str
    kind: str
    code: str
    neurons: int
    scale: float
    largest: float | None
    snr: float | None
    snr_closed: float | None
    snr_own: float | None
    losses: Mapping[str, float]
    gain: float | None
    clipped: float
    dead: int
    dead_in_float: int
    saturated: int
    spikes: float
    synaptic_operations: float | None
    agreement: float | None
    accuracy: float | None
    finding: Finding

    @property
    def reason(self) -> str:
        """The finding as a sentence."""
        return self.finding.text

    @property
    def added(self) -> float:
        """Energy by which the error grows at this layer, as a share of the float network's."""
        return self.losses["added"]


@dataclass(frozen=True)
class Layers:
    """All layers, and what was measured beside them.

    samples: how many. same_model: whether the float network is the model that was compiled.
    float_accuracy: None without labels. input_agreement, input_accuracy: of the float network fed
    with the chip's input numbers.
    """

    rows: tuple[LayerFigures, ...]
    samples: int
    same_model: bool
    float_accuracy: float | None
    input_agreement: float | None
    input_accuracy: float | None
