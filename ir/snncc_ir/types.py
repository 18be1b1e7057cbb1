"""Types of the values of a graph: what flows along an edge, in which shape and in which code.

Shapes are those of one sample; every numpy or ONNX evaluation adds a leading batch axis.
"""

from dataclasses import dataclass
from math import prod

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Code:
    """How a number is written in spikes. The base class is the code that is not chosen yet."""

    name = "uncoded"


@dataclass(frozen=True)
class Rate(Code):
    """Rate code: over `steps` time steps, value = scale · Σ spikes / steps.

    A `signed` population may also send -1, which takes an earlier spike back.
    """

    steps: int
    signed: bool = False
    name = "rate"

    def __post_init__(self) -> None:
        if not 1 <= self.steps <= 32767:
            raise ValueError(f"steps is {self.steps}, should be 1 to 32767")


UNCODED = Code()
CODES: dict[str, type[Code]] = {code.name: code for code in (Code, Rate)}


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
