"""What a user may ask of a compilation, coding by coding, and the passes that follow from it.

A target says which of these it takes; it may extend them with options of its own. Options without
limits here are held to those of the passes that they reach.
"""

from dataclasses import asdict, dataclass
from typing import Annotated, ClassVar

from snncc_backends.options import Option, check_options
from snncc_ir import MOST_DIGITS, fail

TO_NORMAL = "adopt-grids,drop-grids,hoist-neurons,current-maxima,fold-batchnorm,sink-views,fuse"
"""Passes from the lowered graph to normal form."""
WEIGHT_FORMATS = "binary-weights,linear-weights"
"""Passes that find weights of few bits, where a coding keeps them."""


@dataclass(frozen=True)
class Settings:
    """Of every coding."""

    coding: ClassVar[str]
    """The name of the coding, for `--coding`."""
    keeps_signs: ClassVar[bool] = True
    """Whether weights that are ±alpha, or multiples of a step, are kept as signs or integers; not
    where all weights are powers."""
    method: Annotated[
        str,
        Option(
            "how scales are found: weights (without data), max, percentile, error (least square "
            "error at so many steps), ecc (Wu, Yi and Huang 2021)"
        ),
    ] = "percentile"
    percentile: Annotated[
        float, Option("per cent of activations below the scale, for method percentile")
    ] = 99.9
    per: Annotated[str, Option("one scale a channel, or a layer")] = "channel"

    def __post_init__(self) -> None:
        """Raises SNN042 for a value that its option does not take."""
        check_options(self)

    def pipeline(self) -> str:
        """The passes from the lowered graph to stage INTEGER, in the text form of pipelines."""
        raise NotImplementedError

    def _front(self, steps: int = 0, peak: float = 1.0, encode: str = "", most: int = 1) -> str:
        """Up to normalization; encode: passes right before it, such as `encode-input,`."""
        formats = f"{WEIGHT_FORMATS}," if self.keeps_signs else ""
        return (
            f"{TO_NORMAL},{formats}{encode}"
            f"normalize{{method={self.method},percentile={self.percentile},per={self.per},"
            f"steps={steps},peak={peak},most={most}}},"
        )

    def as_json(self) -> dict[str, object]:
        """For the manifest."""
        return {"coding": self.coding, **asdict(self)}


@dataclass(frozen=True)
class RateSettings(Settings):
    """Rate code."""

    coding: ClassVar[str] = "rate"
    method: str = "error"
    steps: Annotated[int, Option("time steps")] = 32
    neuron: Annotated[
        str,
        Option(
            "if, signed-if, graded, signed-graded, hard-if, or auto for the best that the target "
            "has"
        ),
    ] = "if"
    weight_bits: Annotated[int, Option("of integer weights")] = 16
    input_bits: Annotated[int, Option("of the quantized input, sign included")] = 12
    start: Annotated[float, Option("initial potential as a fraction of the threshold")] = 0.5
    most: Annotated[int, Option("spikes that a graded neuron sends at once")] = 7
    peak: Annotated[
        float,
        Option("spikes a step that stand for the scale; 0: 2 for graded neurons, 1 for others"),
    ] = 0.0
    calibrate: Annotated[
        str,
        Option(
            "layers: corrected one after the other on the spikes that arrive",
            choices=("layers", "off"),
        ),
    ] = "layers"
    fit: Annotated[str, Option("of weights while calibrating: best, fit or keep")] = "best"
    tune: Annotated[str, Option("of thresholds and starts while calibrating: best or keep")] = (
        "best"
    )
    rounds: Annotated[int, Option("of correcting biases while calibrating")] = 4
    samples: Annotated[int, Option("to calibrate on, at most")] = 512
    early_exit_loss: Annotated[
        float, Option("points of accuracy that samples may lose by ending early; 0: none does")
    ] = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.early_exit_loss < 100:
            raise fail(
                "SNN042",
                f"early_exit_loss is {self.early_exit_loss}, should be 0 to 100 per cent",
                hint="--early-exit-loss 0.5: at most half a point of accuracy is lost",
            )

    def pipeline(self) -> str:
        graded = self.neuron.endswith("graded")
        most = f",most={self.most}" if graded else ""
        peak = self.peak or (2.0 if graded else 1.0)
        calibrate = (
            f"calibrate-rate{{weights={self.fit},neurons={self.tune},rounds={self.rounds},"
            f"samples={self.samples}}},"
        )
        return (
            f"{self._front(self.steps, peak, self._encode(), self.most if graded else 1)}"
            f"quantize-input{{bits={self.input_bits}}},"
            f"rate-code{{neuron={self.neuron},steps={self.steps},start={self.start}{most}}},"
            f"{calibrate if self.calibrate == 'layers' else ''}"
            f"{self._weights()}"
        )

    def _encode(self) -> str:
        """A pass that makes spikes of the input, with a comma behind it."""
        return ""

    def _weights(self) -> str:
        """The pass that makes integers of weights."""
        return f"quantize-weights{{bits={self.weight_bits}}}"


@dataclass(frozen=True)
class TtfsSettings(Settings):
    """Time to first spike, with logarithmic weights."""

    coding: ClassVar[str] = "ttfs"
    keeps_signs: ClassVar[bool] = False
    steps: Annotated[int, Option("time slots of a layer")] = 24
    tau: Annotated[int, Option("slots an octave")] = 4
    offset: Annotated[float, Option("0.5 rounds a value to the nearest slot, 0 down")] = 0.5
    weight_bits: Annotated[int, Option("of a weight's sign and exponent code")] = 5
    resolution: Annotated[int, Option("weight levels an octave")] = 2
    rounding: Annotated[str, Option("of weights: compensated or nearest")] = "compensated"
    error: Annotated[str, Option("of which the least is looked for: output or weight")] = "output"
    bias: Annotated[
        str, Option("correct: without the mean error of each channel", choices=("correct", "keep"))
    ] = "correct"
    align: Annotated[
        str,
        Option(
            "streams: scales in which shortcuts are exact; off: shortcuts are rounded",
            choices=("streams", "off"),
        ),
    ] = "streams"
    samples: Annotated[int, Option("of the calibration data for these")] = 1024
    input_bits: Annotated[int, Option("magnitude of the bit-serial input", least=1, most=12)] = 8
    constant_bits: Annotated[int, Option("of fixed-point constants")] = 16
    accumulator_bits: Annotated[int, Option("of potentials")] = 24

    def pipeline(self) -> str:
        align = f"align-scales{{resolution={self.resolution}}}," if self.align != "off" else ""
        correct = f"correct-bias{{samples={self.samples}}}," if self.bias != "keep" else ""
        return (
            f"{self._front()}{align}quantize-input{{bits={self.input_bits + 1}}},"
            f"log-weights{{bits={self.weight_bits},resolution={self.resolution}}},"
            f"ttfs-code{{steps={self.steps},tau={self.tau},offset={self.offset}}},"
            f"quantize-log2{{bits={self.weight_bits},resolution={self.resolution},"
            f"rounding={self.rounding},error={self.error},samples={self.samples}}},{correct}"
            f"quantize-potentials{{constant_bits={self.constant_bits},"
            f"accumulator_bits={self.accumulator_bits}}}"
        )


@dataclass(frozen=True)
class RadixSettings(Settings):
    """Radix code: the binary digits of a number."""

    coding: ClassVar[str] = "radix"
    method: str = "error"
    steps: Annotated[int, Option("binary digits", least=1, most=MOST_DIGITS)] = 5
    weight_bits: Annotated[int, Option("of integer weights")] = 16
    input_bits: Annotated[int, Option("of the quantized input, sign included")] = 12
    start: Annotated[float, Option("initial potential as a fraction of the threshold")] = 0.5
    bias: Annotated[
        str, Option("correct: without the mean error of each channel", choices=("correct", "keep"))
    ] = "correct"
    samples: Annotated[int, Option("of the calibration data for these")] = 1024

    def pipeline(self) -> str:
        correct = f"correct-bias{{samples={self.samples}}}," if self.bias != "keep" else ""
        return (
            f"{self._front((1 << self.steps) - 1)}quantize-input{{bits={self.input_bits}}},"
            f"radix-code{{steps={self.steps},start={self.start}}},{correct}"
            f"quantize-weights{{bits={self.weight_bits}}}"
        )
