"""What a pass is: a frozen dataclass with a name, options, a stage, a promise and `run`.

A new pass is a file in this folder with one subclass of `Pass`; `snncc.passes.registry` finds it.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, fields
from typing import ClassVar

from snncc_ir import Batch, Graph, Stage, Stopwatch


@dataclass(frozen=True)
class Promise:
    """What a pass says of value semantics. Compared on the network's outputs."""

    kind: ClassVar[str]
    tolerance: float | None = None
    """Largest deviation allowed, relative to the largest output; None: no bound."""


@dataclass(frozen=True)
class Exact(Promise):
    """Numbers only move: equal up to what onnxruntime's choice of kernels does."""

    kind: ClassVar[str] = "exact"
    tolerance: float | None = 1e-6


@dataclass(frozen=True)
class Close(Promise):
    """Equal up to floating-point rounding."""

    kind: ClassVar[str] = "close"
    tolerance: float | None = 1e-4


@dataclass(frozen=True)
class Lossy(Promise):
    """The values change, for the stated reason; the pass manager measures by how much."""

    kind: ClassVar[str] = "lossy"
    why: str = ""


@dataclass(frozen=True)
class Context:
    """What a pass may look at beside the graph.

    calibration: samples by input name, (N, *shape); of a stream of events (N, T, *shape).
    progress: called with (what, done, total).
    analog: the graph in normal form as it was before its neurons got a time code, under the same
    names and scales; None before there is one. watch: seconds by stage.
    """

    calibration: Batch
    progress: Callable[[str, int, int], None] = lambda what, done, total: None
    analog: Graph | None = None
    watch: Stopwatch = field(default_factory=Stopwatch, compare=False)


@dataclass(frozen=True)
class Pass(ABC):
    """Base of all passes; the fields of a subclass are its options (int, float or str)."""

    name: ClassVar[str]
    needs: ClassVar[Stage]
    """Stage at which the graph has to be."""
    leaves: ClassVar[Stage | None] = None
    """Stage at which the result is; None: that of the operand."""
    promise: ClassVar[Promise]

    @abstractmethod
    def run(self, graph: Graph, context: Context) -> Graph:
        """The rewritten graph; `graph` itself when there is nothing to do."""

    def __str__(self) -> str:
        """The text form, such as `rate-code{neuron=if,steps=32}`: all options, in order."""
        options = ",".join(f"{f.name}={getattr(self, f.name)}" for f in fields(self))
        return f"{self.name}{{{options}}}" if options else self.name
