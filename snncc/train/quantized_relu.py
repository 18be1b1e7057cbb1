"""ReLU rounded to whole spikes, with a straight-through gradient (Sorbaro et al. 2020)."""

from typing import Any

import torch
from torch import Tensor, nn

MOST_LEVELS = 255
"""What 8 digits of the radix code carry, and an 8-bit QuantizeLinear."""


class QuantizedReLU(nn.Module):
    """y = step · clip(round(x / step), 0, levels), half to even, for x of any shape.

    step: what one spike is worth; a buffer, which `calibrate_scales` sets. With step 1, as in the
    paper, activations are numbers of spikes. levels: the most spikes, 1 to 255: neurons send so
    many in as many steps of the rate code, or in log2(levels + 1) digits of the radix code, which
    then computes just this.

    Gradient, in place of that of the rounding, which is 0: that of clip(x, 0, step·levels), so 1
    where 0 < x < step·levels, and else 0. In an ONNX file it is Clip, QuantizeLinear and
    DequantizeLinear. Raises ValueError for levels or a step that there are not.
    """

    step: Tensor

    def __init__(self, levels: int = MOST_LEVELS, step: float = 1.0) -> None:
        super().__init__()
        if not 1 <= levels <= MOST_LEVELS:
            raise ValueError(f"levels is {levels}, should be 1 to {MOST_LEVELS}")
        if not step > 0:
            raise ValueError(f"step is {step}, should be positive")
        self.levels = levels
        self.register_buffer("step", torch.tensor(float(step)))

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = _Rounded.apply(x, self.step, self.levels)
        return result

    def extra_repr(self) -> str:
        return f"levels={self.levels}, step={float(self.step):g}"


class _Rounded(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, step: Tensor, levels: int) -> Tensor:
        ctx.save_for_backward((x > 0) & (x < step * levels))
        return (torch.clamp(torch.round(x / step), 0, levels) * step).to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        (within,) = ctx.saved_tensors
        return grads[0] * within, None, None

    @staticmethod
    def symbolic(g: Any, x: Any, step: Any, levels: int) -> Any:
        """The same in operators that every ONNX runtime has."""
        least, most = (g.op("Constant", value_t=torch.tensor(float(k))) for k in (0, levels))
        zero = g.op("Constant", value_t=torch.tensor(0, dtype=torch.uint8))
        spikes = g.op("QuantizeLinear", g.op("Clip", x, least, g.op("Mul", step, most)), step, zero)
        made = g.op("DequantizeLinear", spikes, step, zero)
        made.setType(x.type())
        return made
