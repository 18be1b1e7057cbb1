"""Binary weights with scaling factors (Rastegari et al. 2016; spiking: Lu and Sengupta 2020).

    binarize(net)                     # weights of all but the first and the last layer

`export` writes them as they are. The compiler finds such layers by their numbers (pass
`binary-weights`) and keeps one bit a weight.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

LAYERS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.Linear)


class BinaryWeights(nn.Module):
    """w → alpha·sign(w), sign(0) = 1, with alpha = mean |w| of each output channel; w is (O, …).

    A parametrization of a layer's `weight`. Gradient, with g that of the result: alpha's own, and
    the sign's straight through where |w| ≤ window:

        sign(w[o, i])/n · Σ_j g[o, j]·sign(w[o, j])  +  alpha[o]·g[o, i]·(|w[o, i]| ≤ window)
    """

    def __init__(self, window: float = 1.0) -> None:
        super().__init__()
        if not window > 0:
            raise ValueError(f"window is {window}, should be positive")
        self.window = window

    def forward(self, weight: Tensor) -> Tensor:
        alpha = weight.abs().flatten(1).mean(1).reshape(-1, *[1] * (weight.ndim - 1))
        signs: Tensor = _Sign.apply(weight, self.window)
        return alpha * signs

    def right_inverse(self, weight: Tensor) -> Tensor:
        """What an assigned weight is kept as: itself, the real number behind the sign."""
        return weight


class _Sign(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight: Tensor, window: float) -> Tensor:
        ctx.save_for_backward(weight.abs() <= window)
        return torch.where(weight < 0, -1.0, 1.0).to(weight.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (within,) = ctx.saved_tensors
        return grads[0] * within, None


def binarize(
    module: nn.Module, first: bool = False, last: bool = False, window: float = 1.0
) -> list[str]:
    """Gives layers of `module` binary weights, in place; returns their names.

    These are its convolutions and dense layers, in the order of `module.named_modules()`. The first
    and the last keep their weights, as in the paper, unless asked for. Raises ValueError when no
    layer is left, or when one has parametrized weights already.
    """
    layers = [(name, part) for name, part in module.named_modules() if isinstance(part, LAYERS)]
    chosen = layers[0 if first else 1 : None if last else -1]
    if not chosen:
        raise ValueError(
            f"of {len(layers)} layers none is left to be binarized, should be at least one; try "
            "first=True, last=True"
        )
    for name, part in chosen:
        if parametrize.is_parametrized(part, "weight"):
            raise ValueError(f"the weight of layer '{name}' is parametrized already")
    for _, part in chosen:
        parametrize.register_parametrization(part, "weight", BinaryWeights(window))
    return [name for name, _ in chosen]
