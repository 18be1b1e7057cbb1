"""Logarithmic weights in the loop: ±2^((E − q)/z), as the ttfs chip has them.

    w  →  0 or ±2^((E − q)/z),  q = 0 … 2^(bits−1) − 2

to the nearest in the linear domain, one exponent E for each output channel or for the layer: the
grid and the rounding of the pass `quantize-log2`. The numbers that gradients move stay real.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from snncc.train.parametrized import before_last, chain_of
from snncc_ir import RESOLUTIONS

LAYERS = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.ConvTranspose1d, nn.ConvTranspose2d)
CANDIDATES = 5
"""Exponents that are tried: from one above the largest weight's downwards."""
LEAST = 2.0**-40
"""Of weights, where an exponent is looked for."""


class LogWeights(nn.Module):
    """A parametrization (`torch.nn.utils.parametrize`) of weights (O, …), float32.

    bits: of a code, 2 to 8, of which one is the sign and one code is zero. resolution: z, levels an
    octave, 1, 2 or 4. per: "channel" or "layer", what shares an exponent. `exponent` is a buffer,
    int16 (O, 1, …) or (1, 1, …), of the least square error of the weights; `refit` looks for it
    anew, as weights move. Gradient: 1 (straight through). Raises ValueError.
    """

    exponent: Tensor

    def __init__(
        self, weight: Tensor, bits: int = 5, resolution: int = 2, per: str = "channel"
    ) -> None:
        super().__init__()
        if not 2 <= bits <= 8:
            raise ValueError(f"bits is {bits}, should be 2 to 8")
        if resolution not in RESOLUTIONS:
            raise ValueError(f"resolution is {resolution}, should be 1, 2 or 4")
        if per not in ("channel", "layer"):
            raise ValueError(f"per is '{per}', should be 'channel' or 'layer'")
        self.bits, self.resolution, self.per = bits, resolution, per
        shape = (len(weight) if per == "channel" else 1, *[1] * (weight.ndim - 1))
        self.register_buffer("exponent", torch.zeros(shape, dtype=torch.int16))
        self.refit(weight)

    @property
    def levels(self) -> int:
        """Magnitudes beside 0."""
        return (1 << (self.bits - 1)) - 1

    @torch.no_grad()
    def refit(self, weight: Tensor) -> None:
        """The exponents for which rounding changes the weights least."""
        rows = weight.detach().reshape(len(self.exponent), -1).double()
        largest = rows.abs().amax(1).clamp(min=LEAST)
        top = torch.floor(torch.log2(largest) * self.resolution)
        middle = (torch.exp2(top / self.resolution) + torch.exp2((top + 1) / self.resolution)) / 2
        top = (top + (largest > middle)).long() + 1
        tried = top[:, None] - torch.arange(CANDIDATES, device=weight.device)
        errors = torch.stack([self._error(rows, tried[:, i]) for i in range(CANDIDATES)], 1)
        best = tried.gather(1, errors.argmin(1, keepdim=True))
        self.exponent.copy_(best.reshape(self.exponent.shape))

    def _error(self, rows: Tensor, exponent: Tensor) -> Tensor:
        codes = self._codes(rows, exponent[:, None])
        values = self._values(codes, exponent[:, None]).double()
        return (values - rows).square().sum(1)

    def codes(self, weight: Tensor) -> Tensor:
        """0, or ±(q + 1): int8, in the weights' shape."""
        return self._codes(weight.detach(), self.exponent.long()).to(torch.int8)

    def _codes(self, weight: Tensor, exponent: Tensor) -> Tensor:
        steps = torch.arange(self.levels, device=weight.device, dtype=torch.float64)
        ascending = torch.exp2(-steps / self.resolution).flip(0)
        middles = (ascending + torch.cat([ascending.new_zeros(1), ascending[:-1]])) / 2
        unit = torch.exp2(-exponent.double() / self.resolution)
        place = torch.bucketize(weight.abs().double() * unit, middles, right=True)
        code = torch.where(place > 0, self.levels + 1 - place, 0)
        return torch.where(weight < 0, -code, code)

    def _values(self, codes: Tensor, exponent: Tensor) -> Tensor:
        """The weights of codes, float32: a power of two, times one of z fractions."""
        whole = exponent - codes.abs() + 1
        octave = torch.div(whole, self.resolution, rounding_mode="floor")
        fractions = torch.exp2(
            torch.arange(self.resolution, device=codes.device).double() / self.resolution
        ).float()
        magnitude = torch.ldexp(fractions[whole - octave * self.resolution], octave)
        return torch.sign(codes) * magnitude

    def forward(self, weight: Tensor) -> Tensor:
        rounded: Tensor = _Straight.apply(weight, self)
        return rounded

    def right_inverse(self, weight: Tensor) -> Tensor:
        """What is stored for weights that are set: these."""
        return weight

    def extra_repr(self) -> str:
        return f"bits={self.bits}, resolution={self.resolution}, per='{self.per}'"


class _Straight(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, weight: Tensor, grid: LogWeights) -> Tensor:
        exponent = grid.exponent.long()
        return grid._values(grid._codes(weight, exponent), exponent).to(weight.dtype)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        return grads[0], None


def quantize_log_weights(
    module: nn.Module, bits: int = 5, resolution: int = 2, per: str = "channel"
) -> nn.Module:
    """Gives all convolutions and linear layers of `module` logarithmic weights; returns `module`.

    Weights that have another parametrization already are left alone. BatchNormalization has to be
    folded before (`fold_batchnorm`): behind such weights it would take them off their grid.
    """
    for layer in module.modules():
        if isinstance(layer, LAYERS) and not parametrize.is_parametrized(layer, "weight"):
            grid = LogWeights(layer.weight, bits, resolution, per)
            parametrize.register_parametrization(layer, "weight", grid)
    return module


def refit_exponents(module: nn.Module) -> None:
    """Looks for the exponents of all logarithmic weights anew, as after some epochs."""
    for layer in module.modules():
        chain = chain_of(layer)
        last = None if chain is None else list(chain)[-1]
        if chain is not None and isinstance(last, LogWeights):
            last.refit(before_last(chain))
