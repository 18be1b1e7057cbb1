"""QCFS: quantization-clip-floor-shift activation (Bu et al., ICLR 2022).

    a(x) = λ·clip(floor(x·L/λ + 1/2)/L, 0, 1)

is what an integrate-and-fire neuron with threshold λ that starts at λ/2 sends in L steps of an even
current, and exactly what the radix code sends in log2(L + 1) steps.
"""

from typing import Any

import torch
from torch import Tensor, nn

MOST_LEVELS = (1 << 15) - 1


class QcfsActivation(nn.Module):
    """QCFS with `levels` L, for x of any shape, float32.

    scale: λ, one number for the layer; a parameter that is trained.

    Gradient as in the paper, with the floor passed straight through. With s = λ/(2L): of x, 1 for
    −s < x < λ − s and else 0; of λ, (a(x) − x)/λ for −s ≤ x < λ − s, 1 above, 0 below. Raises
    ValueError for levels or a scale that there are not.
    """

    def __init__(self, levels: int, scale: float = 1.0) -> None:
        super().__init__()
        if not 1 <= levels <= MOST_LEVELS:
            raise ValueError(f"levels is {levels}, should be 1 to {MOST_LEVELS}")
        if not scale > 0:
            raise ValueError(f"scale is {scale}, should be positive")
        self.levels = levels
        self.scale = nn.Parameter(torch.tensor(float(scale)))

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = _Qcfs.apply(x, self.scale, self.levels)
        return result

    def extra_repr(self) -> str:
        return f"levels={self.levels}, scale={float(self.scale.detach()):g}"


class _Qcfs(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, levels: int) -> Tensor:
        step = scale / levels
        result = torch.clamp(torch.floor(x / step + 0.5), 0, levels) * step
        ctx.save_for_backward(x, scale, result)
        ctx.levels = levels
        return result.to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (grad,) = grads
        x, scale, result = ctx.saved_tensors
        shift = scale / (2 * ctx.levels)
        above = x >= scale - shift
        within = (x > -shift) & ~above
        of_scale = torch.where(above, torch.ones_like(x), (result - x) / scale * within)
        return grad * within, (grad * of_scale).sum().to(scale.dtype), None

    @staticmethod
    def symbolic(g: Any, x: Any, scale: Any, levels: int) -> Any:
        made = g.op("ai.snncc::Qcfs", x, scale, levels_i=levels)
        made.setType(x.type())
        return made
