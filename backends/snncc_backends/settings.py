"""What a user may ask of a compilation, coding by coding, and the passes that follow from it.

A target says which of these it takes; it may extend them with options of its own.
"""

from dataclasses import asdict, dataclass
from typing import ClassVar

from snncc_ir import MOST_DIGITS, fail


@dataclass(frozen=True)
class Settings:
    """Of every coding.

    method: of normalization: `weights` (without data), `max`, `percentile` (of `percentile` per
    cent), `error` (least square error at so many steps), `ecc` (Wu, Yi and Huang 2021); per:
    `channel` or `layer`.
    """

    coding: ClassVar[str]
    keeps_signs: ClassVar[bool] = True
    """Whether weights that are ±alpha, or multiples of a step, are kept as signs or integers; not
    where all weights are powers."""
    method: str = "percentile"
    percentile: float = 99.9
    per: str = "channel"

    def pipeline(self) -> str:
        """The passes from the lowered graph to stage INTEGER, in the text form of pipelines."""
        raise NotImplementedError

    def _front(self, steps: int = 0, peak: float = 1.0, encode: str = "", most: int = 1) -> str:
        """Up to normalization; encode: passes right before it, such as `encode-input,`."""
        binary = "binary-weights,linear-weights," if self.keeps_signs else ""
        return (
            "adopt-grids,drop-grids,hoist-neurons,current-maxima,fold-batchnorm,sink-views,fuse,"
            f"{binary}{encode}"
            f"normalize{{method={self.method},percentile={self.percentile},per={self.per},"
            f"steps={steps},peak={peak},most={most}}},"
        )

    def as_json(self) -> dict[str, object]:
        """For the manifest."""
        return {"coding": self.coding, **asdict(self)}


@dataclass(frozen=True)
class RateSettings(Settings):
    """Rate code.

    steps: time steps. neuron: `if`, `signed-if`, `graded`, `signed-graded`, `hard-if`, or `auto`
    for the best that the target has. weight_bits: of integer weights. input_bits: of the quantized
    input, sign included. start: initial potential as a fraction of the threshold. most: spikes that
    a graded neuron sends at once; peak: those a step that stand for the calibrated scale (0: 2 for
    graded neurons, 1 for others). calibrate: `layers` corrects weights (fit: `best`, `fit` or
    `keep`), thresholds and starts (tune: `best` or `keep`) and biases (so many rounds) layer after
    layer on the spikes of up to so many samples; `off` does not. early_exit_loss: samples end
    early, so that at most so many points of accuracy are lost; 0: none does.
    """

    coding: ClassVar[str] = "rate"
    method: str = "error"
    steps: int = 32
    neuron: str = "if"
    weight_bits: int = 16
    input_bits: int = 12
    start: float = 0.5
    most: int = 7
    peak: float = 0.0
    calibrate: str = "layers"
    fit: str = "best"
    tune: str = "best"
    rounds: int = 4
    samples: int = 512
    early_exit_loss: float = 0.0

    def __post_init__(self) -> None:
        if self.calibrate not in ("layers", "off"):
            raise fail(
                "SNN042",
                f"calibrate is '{self.calibrate}', should be layers or off",
                hint="--set calibrate=off compiles at once, at the cost of accuracy",
            )
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
    """Time to first spike, with logarithmic weights.

    steps: time slots of a layer, tau of them an octave; offset: 0.5 rounds a value to the nearest
    slot, 0 down. weight_bits: of a weight's sign and exponent code, resolution levels an octave.
    rounding: `compensated` or `nearest`; error: `output` or `weight`, of which the least is looked
    for; bias: `correct` or `keep`; align: `streams` makes shortcuts exact, `off` rounds them.
    samples: of the calibration data for these. input_bits: magnitude of the bit-serial input.
    constant_bits, accumulator_bits: of the fixed-point arithmetic.
    """

    coding: ClassVar[str] = "ttfs"
    keeps_signs: ClassVar[bool] = False
    steps: int = 24
    tau: int = 4
    offset: float = 0.5
    weight_bits: int = 5
    resolution: int = 2
    rounding: str = "compensated"
    error: str = "output"
    bias: str = "correct"
    align: str = "streams"
    samples: int = 1024
    input_bits: int = 8
    constant_bits: int = 16
    accumulator_bits: int = 24

    def __post_init__(self) -> None:
        for what, value, known in (
            ("bias", self.bias, ("correct", "keep")),
            ("align", self.align, ("streams", "off")),
        ):
            if value not in known:
                raise fail(
                    "SNN042",
                    f"{what} is '{value}', should be {' or '.join(known)}",
                    hint=f"--set {what}={known[0]}, the default",
                )
        if not 1 <= self.input_bits <= 12:
            raise fail(
                "SNN042",
                f"input_bits is {self.input_bits}, should be 1 to 12",
                hint="--set input_bits=8, the default",
            )

    def pipeline(self) -> str:
        align = f"align-scales{{resolution={self.resolution}}}," if self.align != "off" else ""
        correct = f"correct-bias{{samples={self.samples}}}," if self.bias != "keep" else ""
        return (
            f"{self._front()}{align}quantize-input{{bits={self.input_bits + 1}}},"
            f"ttfs-code{{steps={self.steps},tau={self.tau},offset={self.offset}}},"
            f"quantize-log2{{bits={self.weight_bits},resolution={self.resolution},"
            f"rounding={self.rounding},error={self.error},samples={self.samples}}},{correct}"
            f"quantize-potentials{{constant_bits={self.constant_bits},"
            f"accumulator_bits={self.accumulator_bits}}}"
        )


@dataclass(frozen=True)
class RadixSettings(Settings):
    """Radix code: the binary digits of a number.

    steps: digits. weight_bits: of integer weights. input_bits: of the quantized input, sign
    included. start: initial potential as a fraction of the threshold. bias: `correct` or `keep`,
    on as many `samples` of the calibration data.
    """

    coding: ClassVar[str] = "radix"
    method: str = "error"
    steps: int = 5
    weight_bits: int = 16
    input_bits: int = 12
    start: float = 0.5
    bias: str = "correct"
    samples: int = 1024

    def __post_init__(self) -> None:
        if self.bias not in ("correct", "keep"):
            raise fail(
                "SNN042",
                f"bias is '{self.bias}', should be correct or keep",
                hint="--set bias=correct, the default",
            )
        if not 1 <= self.steps <= MOST_DIGITS:
            raise fail(
                "SNN042",
                f"steps is {self.steps}, should be 1 to {MOST_DIGITS} digits",
                hint="--steps 5, the default",
            )

    def pipeline(self) -> str:
        correct = f"correct-bias{{samples={self.samples}}}," if self.bias != "keep" else ""
        return (
            f"{self._front((1 << self.steps) - 1)}quantize-input{{bits={self.input_bits}}},"
            f"radix-code{{steps={self.steps},start={self.start}}},{correct}"
            f"quantize-weights{{bits={self.weight_bits}}}"
        )
