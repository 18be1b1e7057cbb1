"""Scales of activations to begin with, from what a network does on some samples."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from snncc.train.qcfs import QcfsActivation
from snncc.train.quantized_relu import QuantizedReLU
from snncc.train.ttfs import TtfsActivation

Activation = TtfsActivation | QcfsActivation | QuantizedReLU


@torch.no_grad()
def calibrate_scales(module: nn.Module, samples: Tensor, percentile: float = 99.9) -> None:
    """Sets λ of all activations to a percentile of what is positive at their inputs.

    That is `scale`; of a `QuantizedReLU`, step · levels.

    samples: (N, …) as `module` takes them. What the network computes meanwhile is that with plain
    ReLUs, whatever the scales are. λ of a `TtfsActivation` is rounded to a power of two, in the
    logarithmic domain: then all of the chip's numbers are those of the training to the last bit.
    Raises ValueError for a percentile that is none.
    """
    if not 0 < percentile <= 100:
        raise ValueError(f"percentile is {percentile}, should be above 0, up to 100")
    was = module.training
    module.eval()
    handles = [
        part.register_forward_hook(_setting(percentile / 100))
        for part in module.modules()
        if isinstance(part, Activation)
    ]
    try:
        module(samples)
    finally:
        for handle in handles:
            handle.remove()
        module.train(was)


def _setting(share: float) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], Tensor]:
    def hook(part: nn.Module, given: tuple[Tensor, ...], result: Tensor) -> Tensor:
        (x,) = given
        positive = torch.sort(x[x > 0].flatten()).values
        if len(positive) and isinstance(part, Activation):
            found = positive[min(int(share * len(positive)), len(positive) - 1)]
            if isinstance(part, TtfsActivation):
                found = torch.exp2(torch.round(torch.log2(found)))
            if isinstance(part, QuantizedReLU):
                part.step.copy_(found / part.levels)
            else:
                part.scale.copy_(found)
        return torch.relu(x)

    return hook
