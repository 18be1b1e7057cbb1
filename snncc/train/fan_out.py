"""How many synapses a spike meets, and how many spikes the input of a layer stands for.

Both are found by trying: layers count with weights of one, and a network is run with neurons that
all send one spike, while everything that takes averages takes sums.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
LAYERS = (*CONVOLUTIONS, nn.Linear)
POOLS = {
    nn.functional.avg_pool1d: 1,
    nn.functional.avg_pool2d: 2,
    nn.functional.avg_pool3d: 3,
}
POOL_ARGUMENTS = ("kernel_size", "stride", "padding", "ceil_mode", "count_include_pad")
ADAPTIVE = {
    nn.functional.adaptive_avg_pool1d: 1,
    nn.functional.adaptive_avg_pool2d: 2,
    nn.functional.adaptive_avg_pool3d: 3,
}
MEANS = (torch.mean, Tensor.mean)
RELUS = (
    torch.relu,
    torch.relu_,
    nn.functional.relu,
    nn.functional.relu6,
    Tensor.relu,
    Tensor.relu_,
)


def fan_out(layer: nn.Module, shape: Sequence[int]) -> Tensor:
    """Synapses that one spike of each input of a layer meets; of the input's shape (C, …).

    For a convolution these are the weights that really meet it, with borders, strides, dilation and
    groups; weights that are 0 count. For a dense layer it is the number of outputs.
    """
    if isinstance(layer, nn.Linear):
        return torch.full(tuple(shape), float(layer.out_features))
    if not isinstance(layer, CONVOLUTIONS):
        raise ValueError(f"{type(layer).__name__} is no convolution and no dense layer")
    ones = torch.ones(
        layer.out_channels,
        layer.in_channels // layer.groups,
        *layer.kernel_size,
        dtype=torch.float64,
    )
    spikes = torch.zeros(1, *shape, dtype=torch.float64, requires_grad=True)
    with torch.enable_grad():
        reached = layer._conv_forward(spikes, ones, None).sum()
    (found,) = torch.autograd.grad(reached, spikes)
    return found[0].float()


class Sums(TorchFunctionMode):
    """Sums in place of averages, and no ReLU that is called as a function outside of neurons."""

    in_neurons = False
    """Set while one of the network's activations runs."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = dict(kwargs or {})
        if func in POOLS:
            taken = {**dict(zip(POOL_ARGUMENTS, args[1:], strict=False)), **given}
            taken.pop("input", None)
            return _summed(_operand(args, given), POOLS[func], taken)
        result = func(*args, **given)
        if func in RELUS and not self.in_neurons:
            raise ValueError(
                "the network calls relu as a function, should have a module for each activation, "
                "such as QuantizedReLU"
            )
        if func in ADAPTIVE:
            return result * _windows(_operand(args, given).shape, result.shape, ADAPTIVE[func])
        if func in MEANS:
            return result * (_operand(args, given).numel() / result.numel())
        return result


def _operand(args: tuple[Any, ...], given: Mapping[str, Any]) -> Tensor:
    x: Tensor = args[0] if args else given["input"]
    return x


def _summed(x: Tensor, axes: int, taken: dict[str, Any]) -> Tensor:
    """What an average pool gives if it does not divide."""
    taken.pop("count_include_pad", None)
    if axes > 1:
        pool = nn.functional.avg_pool2d if axes == 2 else nn.functional.avg_pool3d
        return pool(x, **{**taken, "divisor_override": 1})
    flat: dict[str, Any] = {"ceil_mode": taken.get("ceil_mode", False), "divisor_override": 1}
    for name, other in (("kernel_size", 1), ("stride", 1), ("padding", 0)):
        if taken.get(name) is not None:
            (size,) = nn.modules.utils._single(taken[name])
            flat[name] = (other, size)
    return nn.functional.avg_pool2d(x.unsqueeze(-2), **flat).squeeze(-2)


def _windows(before: Sequence[int], after: Sequence[int], axes: int) -> Tensor:
    """Sizes of the windows of an adaptive pool."""
    sizes = torch.ones(())
    for size, wanted in zip(before[-axes:], after[-axes:], strict=True):
        places = torch.arange(wanted)
        ends = -(-(places + 1) * size // wanted)
        sizes = sizes[..., None] * (ends - places * size // wanted)
    return sizes
