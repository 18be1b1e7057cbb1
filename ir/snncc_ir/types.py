"""Types of the values of a graph: what flows along an edge, in which shape and in which code.

Shapes are those of one sample; every numpy or ONNX evaluation adds a leading batch axis.
"""

from dataclasses import dataclass
from math import prod

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Code:
    """How a number is written in spikes. The base class is the code that is not chosen yet.

    most: spikes that a neuron sends at once.
    """

    name = "uncoded"
    most = 1

    @property
    def train(self) -> int:
        """Length of a spike train: time steps or slots."""
        return 1

    @property
    def results(self) -> int:
        """Moments at which the network's results can be read: every time step, or the end."""
        return 1

    @property
    def levels(self) -> int:
        """How often a potential counts a layer's mean drive: the largest number it can send."""
        return 1


MOST_PAYLOAD = 127
"""Of a graded spike: a signed byte."""


@dataclass(frozen=True)
class Rate(Code):
    """Rate code: over `steps` time steps, value = scale · Σ spikes / steps.

    A `signed` population may also send -1, which takes an earlier spike back; graded spikes carry
    up to `most` at once (one graded spike of payload n counts as n spikes).
    """

    steps: int
    signed: bool = False
    most: int = 1
    name = "rate"

    def __post_init__(self) -> None:
        if not 1 <= self.steps <= 32767:
            raise ValueError(f"steps is {self.steps}, should be 1 to 32767")
        if not 1 <= self.most <= MOST_PAYLOAD:
            raise ValueError(f"most is {self.most}, should be 1 to {MOST_PAYLOAD}")

    @property
    def train(self) -> int:
        return self.steps

    @property
    def results(self) -> int:
        return self.steps

    @property
    def levels(self) -> int:
        return self.steps


MOST_SLOTS = 64
TAUS = (1, 2, 4, 8)


@dataclass(frozen=True)
class FirstSpike(Code):
    """Time to first spike: at most one spike, in slot k of `steps`, worth scale · 2^(−k/tau).

    No spike is 0. A layer integrates all spikes of its sources and then fires: layers follow one
    another. constant_bits: of the fixed-point constants that products are made of (`products`);
    0 as long as the network's arithmetic is not chosen.
    """

    steps: int
    tau: int
    constant_bits: int = 0
    name = "ttfs"

    def __post_init__(self) -> None:
        if not 2 <= self.steps <= MOST_SLOTS:
            raise ValueError(f"steps is {self.steps}, should be 2 to {MOST_SLOTS}")
        if self.tau not in TAUS:
            raise ValueError(f"tau is {self.tau}, should be one of {', '.join(map(str, TAUS))}")
        if self.constant_bits and not 8 <= self.constant_bits <= 24:
            raise ValueError(f"constant_bits is {self.constant_bits}, should be 8 to 24")

    @property
    def train(self) -> int:
        return self.steps


MOST_DIGITS = 8


@dataclass(frozen=True)
class Radix(Code):
    """Binary digits of a number n in 0..levels, levels = 2^steps − 1: value = scale · n / levels.

    Most significant first: a spike in step t counts 2^(steps−1−t). A layer integrates all digits of
    its sources and then sends its own: layers follow one another.
    """

    steps: int
    name = "radix"

    def __post_init__(self) -> None:
        if not 1 <= self.steps <= MOST_DIGITS:
            raise ValueError(f"steps is {self.steps}, should be 1 to {MOST_DIGITS}")

    @property
    def train(self) -> int:
        return self.steps

    @property
    def levels(self) -> int:
        return (1 << self.steps) - 1


UNCODED = Code()
CODES: dict[str, type[Code]] = {code.name: code for code in (Code, Rate, FirstSpike, Radix)}


@dataclass(frozen=True)
class Type:
    """Base of the three kinds; `shape` is without the batch axis."""

    shape: Shape

    @property
    def size(self) -> int:
        """Numbers (or neurons) in one sample."""
        return prod(self.shape)

    def with_shape(self, shape: Shape) -> "Type":
        """The same kind and code in another shape."""
        return type(self)(shape)


@dataclass(frozen=True)
class Analog(Type):
    """Numbers, held constant over time: the network's input."""


@dataclass(frozen=True)
class Current(Type):
    """What flows into neurons: a weighted sum, different in every time step."""


@dataclass(frozen=True)
class Spikes(Type):
    """What neurons send, in a code."""

    code: Code = UNCODED

    def with_shape(self, shape: Shape) -> "Spikes":
        return Spikes(shape, self.code)


KINDS: dict[str, type[Type]] = {"analog": Analog, "current": Current, "spikes": Spikes}
