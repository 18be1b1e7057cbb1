"""Neurons of a rate code, step by step in floats, in place: what simulations over time consist of.

Each rule is that of `snncc_ir.ops.models`; a step makes no array.
"""

import numpy as np
from numpy.typing import NDArray

from snncc_ir.ops import HardIntegrateFire, IntegrateFire

Numbers = NDArray[np.float32] | NDArray[np.float64]
Sent = NDArray[np.int8]


class Soma:
    """Potentials of neurons of one model in any shape; `step` after `step`, they send spikes."""

    def __init__(
        self, model: IntegrateFire, theta: Numbers, start: Numbers, shape: tuple[int, ...]
    ) -> None:
        """theta, start: thresholds and initial potentials, broadcastable to `shape`.

        Potentials have theta's type: in float64 they are exact for integers, however many steps.
        """
        self._theta = theta
        self._most, self._signed = model.code.most, model.signed
        self._hard = isinstance(model, HardIntegrateFire)
        self._potential = np.empty(shape, theta.dtype)
        self._potential[...] = start
        self._number = np.empty(shape, theta.dtype)
        # what may be taken back: below 0 by what has been sent
        self._least = np.zeros(shape, theta.dtype) if self._signed else None

    def step(self, current: Numbers, sent: Sent, bias: Numbers | None = None) -> None:
        """One time step. current, bias: broadcastable to the shape. sent: written to, (*shape)."""
        v, number = self._potential, self._number
        v += current
        if bias is not None:
            v += bias
        if self._most > 1:
            np.divide(v, self._theta, out=number)
            np.floor(number, out=number)
            # between numbers first, then against an array: clip between arrays is many times as
            # slow, and so are maximum and minimum of an array and a number
            np.clip(number, -self._most if self._signed else 0, self._most, out=number)
            if self._least is not None:
                np.maximum(number, self._least, out=number)
            np.copyto(sent, number, casting="unsafe")
        else:
            np.greater_equal(v, self._theta, out=sent.view(np.bool_))
            if self._least is not None:
                sent -= ((v < 0) & (self._least < 0)).view(np.int8)
            np.copyto(number, sent)
        if self._least is not None:
            self._least -= number
        if self._hard:
            np.subtract(1.0, number, out=number)
            v *= number
        else:
            number *= self._theta
            v -= number
