"""The sliding window of convolutions and pools, in one or two spatial dimensions."""

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from snncc_ir.ops.base import expect
from snncc_ir.types import Shape

Sizes = tuple[int, ...]
Number = TypeVar("Number", bound=np.floating)


@dataclass(frozen=True)
class Window:
    """Kernel size, stride, padding (all begins, then all ends, as in ONNX) and dilation."""

    kernel: Sizes
    stride: Sizes
    pads: Sizes
    dilation: Sizes

    @property
    def rank(self) -> int:
        return len(self.kernel)

    @property
    def extent(self) -> Sizes:
        """Positions from the first to the last tap, inclusive."""
        return tuple((k - 1) * d + 1 for k, d in zip(self.kernel, self.dilation, strict=True))

    def check(self) -> None:
        """Raises `TypeRuleError` when the attributes contradict each other."""
        expect(self.rank in (1, 2), f"the window has {self.rank} dimensions", "1 or 2")
        self.check_sizes()

    def check_sizes(self) -> None:
        """As `check`, in any number of dimensions."""
        rank = self.rank
        for what, sizes, length, least in (
            ("kernel", self.kernel, rank, 1),
            ("stride", self.stride, rank, 1),
            ("pads", self.pads, 2 * rank, 0),
            ("dilation", self.dilation, rank, 1),
        ):
            expect(
                len(sizes) == length and min(sizes) >= least,
                f"{what} is {list(sizes)}",
                f"{length} numbers of at least {least}",
            )

    def output_sizes(self, spatial: Shape) -> Shape:
        """Spatial shape of the result; raises `TypeRuleError` when the window does not fit."""
        self.check()
        expect(
            len(spatial) == self.rank,
            f"the operand has {len(spatial)} spatial dimensions",
            f"{self.rank}, as the window has",
        )
        sizes = []
        for i, size in enumerate(spatial):
            room = size + self.pads[i] + self.pads[i + self.rank] - self.extent[i]
            expect(
                room >= 0,
                f"the padded operand is {room + self.extent[i]} wide",
                f"at least {self.extent[i]}, the extent of the window",
            )
            sizes.append(room // self.stride[i] + 1)
        return tuple(sizes)

    def slide(self, values: NDArray[Number], fill: float = 0.0) -> NDArray[Number]:
        """Views (N, C, *spatial) as (N, C, *output, *kernel), padded with `fill`."""
        rank = self.rank
        widths = [(0, 0), (0, 0)]
        widths += [(self.pads[i], self.pads[i + rank]) for i in range(rank)]
        padded = np.pad(values, widths, constant_values=fill) if any(self.pads) else values
        axes = tuple(range(2, 2 + rank))
        views = np.lib.stride_tricks.sliding_window_view(padded, self.extent, axis=axes)
        steps = [slice(None), slice(None)]
        steps += [slice(None, None, s) for s in self.stride]
        steps += [slice(None, None, d) for d in self.dilation]
        return views[tuple(steps)]
