"""What is said of a network that `make_torch.py` exports; `torch_cases.py` has them all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from torch import nn

Shape = tuple[int, ...]


@dataclass(frozen=True)
class Export:
    """How a network is written.

    dynamo: by which of the two exporters. dynamic: the batch axis has a name in place of a size;
    sizes: the image's axes, too. unnamed: names of nodes are taken away, as other tools do. half:
    with float16 weights and input. options: of `torch.onnx.export`.
    """

    dynamo: bool
    opset: int
    notes: str = ""
    dynamic: bool = False
    sizes: bool = False
    unnamed: bool = False
    half: bool = False
    options: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Case:
    """A network, its exports, and what should hold for all of them.

    inputs: shapes without the batch axis; integers: the inputs are of this type's range: `uint8`,
    `int64` (numbers of words). refused: the code of the diagnostic that import ends with.
    tolerance: of values, as a fraction of an output's range. approximate: taken on request only.
    """

    name: str
    architecture: str
    network: Callable[[], nn.Module]
    inputs: tuple[Shape, ...]
    exports: tuple[Export, ...]
    integers: str = ""
    refused: str | None = None
    tolerance: float = 1e-4
    approximate: bool = False
    notes: str = ""


def trace(opset: int, notes: str = "", **options: object) -> Export:
    """By the tracing exporter, `dynamo=False`."""
    return _export(False, opset, notes, options)


def dynamo(opset: int, notes: str = "", **options: object) -> Export:
    """By the exporter of `torch.export` programs, `dynamo=True`."""
    return _export(True, opset, notes, options)


def _export(by_dynamo: bool, opset: int, notes: str, options: dict[str, object]) -> Export:
    flags = {
        name: bool(options.pop(name, False)) for name in ("dynamic", "sizes", "unnamed", "half")
    }
    return Export(by_dynamo, opset, notes, options=options, **flags)
