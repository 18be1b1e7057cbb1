"""ONNX networks as torch modules that other tools can convert, and the fan-outs of their spikes.

Needs torch and onnx only, so that it runs in an environment of a tool that is measured.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator
from torch import nn
from torch.nn import functional

Array = NDArray[np.generic]
MOVES = ("Slice", "Pad")


@dataclass(frozen=True)
class Step:
    """One operation: a module of one operand, or, where `module` is "", the sum of two."""

    output: str
    operands: tuple[str, ...]
    module: str


class Network(nn.Module):
    """An ONNX graph as torch modules, in a form that torch.fx can trace.

    Slices and zero padding before an addition (shortcuts of residual networks) become one
    convolution of 1×1 that picks channels, because spikingjelly refuses padding. shape: of one
    image (C, H, W). selections: the names of these convolutions; their zeros are no synapses.
    """

    def __init__(self, model: onnx.ModelProto) -> None:
        super().__init__()
        self.graph = model.graph
        self.source, self.result = self.graph.input[0].name, self.graph.output[0].name
        sizes = self.graph.input[0].type.tensor_type.shape.dim
        self.shape = tuple(size.dim_value for size in sizes[1:])
        self.steps: list[Step] = []
        self.selections: set[str] = set()
        self.parts = nn.ModuleDict()
        tensors = {t.name: onnx.numpy_helper.to_array(t) for t in self.graph.initializer}
        values = {self.source: torch.zeros(1, *self.shape)}
        moved: dict[str, str] = {}  # a tensor that is only picked from another: that other
        for node in self.graph.node:
            if not any(name in values or name in moved for name in node.input):
                continue  # constants; `_selection` evaluates those it needs
            if node.op_type in MOVES:
                moved[node.output[0]] = moved.get(node.input[0], node.input[0])
                continue
            for name in node.input:
                if name in moved and name not in values:
                    layer = self._selection(moved[name], name, values[moved[name]].shape)
                    self.selections.add(self._append(name, (moved[name],), layer, values))
            operands = tuple(name for name in node.input if name in values)
            made = None if node.op_type == "Add" else _module(node, tensors)
            self._append(node.output[0], operands, made, values)
        self.eval()

    def _append(
        self,
        output: str,
        operands: tuple[str, ...],
        module: nn.Module | None,
        values: dict[str, torch.Tensor],
    ) -> str:
        """Adds a step and computes its value, for the shape; returns the module's name."""
        name = ""
        if module is not None:
            name = f"{type(module).__name__.lower()}{len(self.parts)}"
            self.parts[name] = module
        self.steps.append(Step(output, operands, name))
        with torch.no_grad():
            values[output] = self._value(self.steps[-1], values)
        return name

    def _value(self, step: Step, values: dict[str, torch.Tensor]) -> torch.Tensor:
        if not step.module:
            left, right = step.operands
            return values[left] + values[right]
        (operand,) = step.operands
        value: torch.Tensor = self.parts[step.module](values[operand])
        return value

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        values = {self.source: images}
        for step in self.steps:
            values[step.output] = self._value(step, values)
        return values[self.result]

    def _selection(self, source: str, target: str, shape: torch.Size) -> nn.Conv2d:
        """The convolution that does what the graph does between two of its tensors."""
        made = {name: node for node in self.graph.node for name in node.output}
        needed, wanted = set[str](), [target]
        while wanted:
            name = wanted.pop()
            if name in made and name != source and name not in needed:
                needed.add(name)
                wanted += made[name].input
        nodes = [node for node in self.graph.node if needed & set(node.output)]
        kind, any_shape = onnx.TensorProto.FLOAT, [None] * len(shape)
        part = onnx.helper.make_graph(
            nodes,
            "moves",
            [onnx.helper.make_tensor_value_info(source, kind, any_shape)],
            [onnx.helper.make_tensor_value_info(target, kind, any_shape)],
            list(self.graph.initializer),
        )
        _, channels, height, width = shape
        probe = torch.arange(1, shape.numel() + 1, dtype=torch.float32).reshape(shape)
        reference = ReferenceEvaluator(onnx.helper.make_model(part))
        (picked,) = reference.run(None, {source: probe.numpy()})
        found = np.asarray(picked)
        stride = height // found.shape[2]
        layer = nn.Conv2d(channels, found.shape[1], 1, stride, bias=False)
        layer.weight.data.zero_()
        for to, number in enumerate(found[0, :, 0, 0]):
            if number:
                layer.weight.data[to, (int(number) - 1) // (height * width)] = 1
        if not np.array_equal(layer(probe).detach().numpy(), found):
            raise SystemExit(f"what is between {source!r} and {target!r} is no choice of channels")
        return layer


def _module(node: onnx.NodeProto, tensors: dict[str, Array]) -> nn.Module:
    """The torch module of one ONNX node; ends the program at a form that torch does not have."""
    given = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    weights = [torch.from_numpy(tensors[n].copy()) for n in node.input if n in tensors]
    pads, kernel = given.get("pads", [0] * 4), given.get("kernel_shape", [])
    padding, stride = pads[: len(pads) // 2], given.get("strides", [1, 1])
    good = padding == pads[len(pads) // 2 :] and not given.get("ceil_mode")
    layer: nn.Module
    match node.op_type:
        case "Conv" if good and len(weights[0].shape) == 4:
            out, inputs, *_ = weights[0].shape
            groups, dilation = given.get("group", 1), given.get("dilations", [1, 1])
            layer = nn.Conv2d(
                inputs * groups, out, _pair(weights[0].shape[2:]), _pair(stride), _pair(padding),
                _pair(dilation), groups, bias=len(weights) > 1,
            )  # fmt: skip
        case "Gemm" if given.get("alpha", 1) == given.get("beta", 1) == 1:
            weights[0] = weights[0] if given.get("transB") else weights[0].T
            layer = nn.Linear(weights[0].shape[1], weights[0].shape[0], bias=len(weights) > 1)
        case "Relu":
            return nn.ReLU()
        case "MaxPool" if good and given.get("dilations", [1, 1]) == [1, 1]:
            return nn.MaxPool2d(_pair(kernel), _pair(stride), _pair(padding))
        case "AveragePool" if good and not any(pads):
            return nn.AvgPool2d(_pair(kernel), _pair(stride))
        case "Flatten" if given.get("axis", 1) == 1:
            return nn.Flatten()
        case _:
            raise SystemExit(f"{node.op_type} {node.name!r} has a form that is not measured here")
    for parameter, weight in zip(layer.parameters(), weights, strict=True):
        parameter.data = weight
    return layer


def _pair(sizes: Sequence[int]) -> tuple[int, int]:
    """Heights and widths as torch wants them; more or fewer axes end the program."""
    if len(sizes) != 2:
        raise SystemExit(f"windows have {len(sizes)} axes, should be 2")
    return sizes[0], sizes[1]


@dataclass(frozen=True)
class FanOut:
    """Weights that one spike from each place reaches: of a ReLU directly, and behind its max pool.

    Shapes are those of one image's activations. pool, pooled: the max pool that follows, or None.
    """

    direct: torch.Tensor
    pool: nn.Module | None = None
    pooled: torch.Tensor | None = None

    def operations(self, spikes: torch.Tensor) -> torch.Tensor:
        """Synaptic operations of each image because of these spikes: (N, *shape) counts."""
        if self.pooled is not None and spikes.shape[1:] == self.pooled.shape:
            return _weighted(spikes, self.pooled)  # the tool pools before its neurons
        total = _weighted(spikes, self.direct)
        if self.pool is not None and self.pooled is not None:
            total = total + _weighted(self.pool(spikes), self.pooled)
        return total


def _weighted(spikes: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    if spikes.shape[1:] != weights.shape:
        raise SystemExit(f"spikes are {spikes.shape[1:]}, the layer is {weights.shape}")
    return spikes.flatten(1).double() @ weights.flatten().double()


@torch.enable_grad()
def fan_outs(net: Network) -> tuple[FanOut, list[FanOut]]:
    """Fan-outs of the input and of all ReLUs in order.

    With every weight one, the derivative of the sum of what all neurons and outputs receive is
    the number of weights that a unit from a place meets: a transposed convolution of ones.
    """
    start = torch.zeros(1, *net.shape, requires_grad=True)
    values, leaves = {net.source: start}, {net.source: start}
    pools: dict[str, tuple[str, nn.Module]] = {}  # source of a max pool: its output, itself
    relus: list[str] = []
    received = torch.zeros(())
    for step in net.steps:
        operand = values[step.operands[0]]
        module = net.parts[step.module] if step.module else None
        if isinstance(module, nn.ReLU | nn.MaxPool2d):
            if isinstance(module, nn.ReLU):
                received = received + operand.sum()
                relus.append(step.output)
            elif step.operands[0] not in relus or step.operands[0] in pools:
                raise SystemExit("a max pool should follow a ReLU, one at most")
            else:
                pools[step.operands[0]] = step.output, module
            values[step.output] = module(operand).detach().requires_grad_()
            leaves[step.output] = values[step.output]
        elif module is None:
            values[step.output] = operand + values[step.operands[1]]
        else:
            values[step.output] = _counting(module, operand, step.module in net.selections)
    received = received + values[net.result].sum()
    slopes = torch.autograd.grad(received, list(leaves.values()), materialize_grads=True)
    maps = {name: slope[0] for name, slope in zip(leaves, slopes, strict=True)}
    found = []
    for name in relus:
        output, pool = pools.get(name, ("", None))
        found.append(FanOut(maps[name], pool, maps.get(output)))
    return FanOut(maps[net.source]), found


def _counting(module: nn.Module, value: torch.Tensor, selection: bool) -> torch.Tensor:
    """What a linear module gives if all its weights are one."""
    match module:
        case nn.Conv2d():
            weight = module.weight != 0 if selection else torch.ones_like(module.weight)
            return functional.conv2d(
                value, weight.to(value.dtype), None, module.stride, module.padding,
                module.dilation, module.groups,
            )  # fmt: skip
        case nn.Linear():
            return functional.linear(value, torch.ones_like(module.weight))
        case nn.AvgPool2d():
            return functional.avg_pool2d(
                value, module.kernel_size, module.stride, divisor_override=1
            )
    return torch.Tensor(module(value))
