"""The network's input on the integers that the chip gets, so that nothing is rounded there."""

from typing import Any

import torch
from torch import Tensor, nn

MOST_LEVELS = (1 << 15) - 1


class QuantizedInput(nn.Module):
    """scale·clip(round(x/scale), 0, levels), half to even, for x of any shape.

    As a network's first layer it says what integers its samples are: 8-bit images divided by 255
    are `QuantizedInput(1 / 255, 255)`. The compiler then sends just these, whatever the calibration
    data is. The gradient goes straight through where nothing is clipped. Raises ValueError for a
    scale or levels that there are not.
    """

    scale: Tensor

    def __init__(self, scale: float, levels: int) -> None:
        super().__init__()
        if not scale > 0:
            raise ValueError(f"scale is {scale}, should be positive")
        if not 1 <= levels <= MOST_LEVELS:
            raise ValueError(f"levels is {levels}, should be 1 to {MOST_LEVELS}")
        self.levels = levels
        self.register_buffer("scale", torch.tensor(float(scale)))

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = _Quantized.apply(x, self.scale, self.levels)
        return result

    def extra_repr(self) -> str:
        return f"scale={float(self.scale):g}, levels={self.levels}"


class _Quantized(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, levels: int) -> Tensor:
        units = torch.round(x / scale)
        ctx.save_for_backward((units >= 0) & (units <= levels))
        return torch.clamp(units, 0, levels) * scale

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (within,) = ctx.saved_tensors
        return grads[0] * within, None, None

    @staticmethod
    def symbolic(g: Any, x: Any, scale: Any, levels: int) -> Any:
        made = g.op("ai.snncc::Quantized", x, scale, levels_i=levels)
        made.setType(x.type())
        return made
