"""Conversion-aware training for the ttfs code (CAT; Lew, Lee and Park, DAC 2022).

The network trains with what its neurons will send: the value of one spike in slot k of `steps`,

    a(x) = λ·2^(−k/τ),  k the first slot with x ≥ λ·2^(−(k + r)/τ);  0 where there is none,

r = 0 being the published rule, which rounds down, r = 1/2 the nearest level in the logarithmic
domain. CAT begins with a clipped ReLU, clip(x, 0, λ), and ends with this.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from snncc_ir import MOST_SLOTS, TAUS
from snncc_ir.ops import slot_thresholds


class TtfsActivation(nn.Module):
    """The activation of ttfs neurons, of any shape and float32; `spiking` says which of its two.

    steps: time slots T, 2 to 64. tau: slots an octave, 1, 2, 4 or 8. offset: r, 0 ≤ r < 1. scale:
    λ, one number for the layer: what slot 0 is worth. It is a buffer: `calibrate_scales` finds it.
    spiking: whether it is the ttfs activation; else it is clip(x, 0, λ).

    Gradient (straight through), of both: that of the clipped ReLU, 1 for 0 < x < λ and else 0.
    Raises ValueError for numbers that no ttfs code has.
    """

    scale: Tensor
    enabled: Tensor

    def __init__(
        self,
        steps: int = 24,
        tau: int = 4,
        offset: float = 0.0,
        scale: float = 1.0,
        spiking: bool = True,
    ) -> None:
        super().__init__()
        if not 2 <= steps <= MOST_SLOTS:
            raise ValueError(f"steps is {steps}, should be 2 to {MOST_SLOTS}")
        if tau not in TAUS:
            raise ValueError(f"tau is {tau}, should be one of {', '.join(map(str, TAUS))}")
        if not 0 <= offset < 1:
            raise ValueError(f"offset is {offset}, should be at least 0 and below 1")
        if not scale > 0:
            raise ValueError(f"scale is {scale}, should be positive")
        self.steps, self.tau, self.offset = steps, tau, offset
        self.register_buffer("scale", torch.tensor(float(scale)))
        # in the state, so that a checkpoint knows how far the training had come
        self.register_buffer("enabled", torch.tensor(spiking))

    @property
    def spiking(self) -> bool:
        """Whether it is the ttfs activation, or still the clipped ReLU."""
        return bool(self.enabled)

    @spiking.setter
    def spiking(self, value: bool) -> None:
        self.enabled.fill_(value)

    @property
    def thresholds(self) -> Tensor:
        """Of all slots, descending, float32."""
        return self._table(self.offset)

    @property
    def values(self) -> Tensor:
        """What a spike in each slot is worth, descending, float32."""
        return self._table(0.0)

    def _table(self, offset: float) -> Tensor:
        return _powers(self.steps, self.tau, offset).to(self.scale.device) * self.scale

    def forward(self, x: Tensor) -> Tensor:
        if not self.spiking:
            return torch.minimum(torch.relu(x), self.scale)
        result: Tensor = _Ttfs.apply(x, self.scale, self.steps, self.tau, self.offset)
        return result

    def extra_repr(self) -> str:
        return (
            f"steps={self.steps}, tau={self.tau}, offset={self.offset}, "
            f"scale={float(self.scale):g}, spiking={self.spiking}"
        )


class CatSchedule:
    """When a network's activations become those of the chip: called with the number of each epoch.

        schedule = CatSchedule(start=10, each=2)
        for epoch in range(epochs):
            schedule(epoch, net)

    start: the epoch in which the first activation stops being a clipped ReLU. each: epochs until
    the next one does, in the order of `net.modules()`; 0: all at once. What it does follows from
    the epoch's number alone, so that a run can be resumed. Raises ValueError for negative numbers.
    """

    def __init__(self, start: int, each: int = 0) -> None:
        if start < 0 or each < 0:
            raise ValueError(f"start is {start} and each is {each}, should be at least 0")
        self.start, self.each = start, each

    def __call__(self, epoch: int, module: nn.Module) -> None:
        """Sets `spiking` of all activations in `module`."""
        found = (part for part in module.modules() if isinstance(part, TtfsActivation))
        for place, activation in enumerate(found):
            activation.spiking = epoch >= self.start + place * self.each


def _powers(steps: int, tau: int, offset: float) -> Tensor:
    """2^(−(k + offset)/tau), float32."""
    return torch.from_numpy(slot_thresholds(steps, tau, offset).astype(np.float32))


class _Ttfs(torch.autograd.Function):
    """Thresholds are compared with, no logarithm is taken: ties fall as on the chip."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, scale: Tensor, steps: int, tau: int, offset: float) -> Tensor:
        ctx.save_for_backward(x, scale)
        thresholds = _powers(steps, tau, offset).to(x.device) * scale
        values = torch.cat([torch.zeros(1), _powers(steps, tau, 0.0).flip(0)]).to(x.device) * scale
        reached = torch.bucketize(x.float(), thresholds.flip(0), right=True)
        return values[reached].to(x.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, scale = ctx.saved_tensors
        return grads[0] * ((x > 0) & (x < scale)), None, None, None, None

    @staticmethod
    def symbolic(g: Any, x: Any, scale: Any, steps: int, tau: int, offset: float) -> Any:
        made = g.op(
            "ai.snncc::Ttfs",
            x,
            scale,
            steps_i=steps,
            tau_i=tau,
            offset_f=offset,
            thresholds_f=_powers(steps, tau, offset).tolist(),
            values_f=_powers(steps, tau, 0.0).tolist(),
        )
        made.setType(x.type())
        return made
