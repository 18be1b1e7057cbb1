"""What neurons send on the chip, value by value beside what the activations gave in torch."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

import snncc
from examples.train.recipes import CALIBRATION
from snncc.train import Images, Split, accuracy, export
from snncc_ir import Array, FirstSpike, Floats, Radix, Spikes
from snncc_ir.ops import Population

AT_ONCE = 200
"""Samples whose spikes are recorded together."""
NEAR = 1e-4
"""Relative: float32 numbers that stand for one level of a code are as near as that."""


@dataclass(frozen=True)
class Compared:
    """Shares. torch, chip: accuracies; closed_form: of value semantics, which in the rate code
    leaves out that currents are uneven. agreement: samples with torch's class on the chip. same:
    neurons, over all layers and test samples, that send the value that torch computed."""

    torch: float
    chip: float
    closed_form: float
    agreement: float
    same: float

    @property
    def row(self) -> str:
        """For a table, in per cent."""
        shown = (self.torch, self.chip, self.closed_form, self.agreement)
        return " | ".join(f"{100 * share:.2f}" for share in shown) + f" | {100 * self.same:.3f}"


HEAD = "torch, % | chip, % | closed form, % | agreement, % | same values, %"


def compared(
    net: nn.Module,
    kind: type[nn.Module],
    split: Split,
    path: Path,
    target: str = "c",
    **settings: object,
) -> Compared:
    """Exports, compiles on training samples, runs the test samples, and compares each activation of
    class `kind` with the population that it became."""
    export(net, path, split.test.x[:1])
    bundle = snncc.compile(
        path, target=target, calibration=_data(split.train.first(CALIBRATION)), settings=settings
    )
    found = bundle.verify(path, _data(split.test))
    same = [_same(net, kind, bundle, x) for x in split.test.x.split(AT_ONCE)]
    equal, total = np.sum(same, axis=0)
    at_end, closed = found.last, found.closed_form
    return Compared(
        accuracy(net, split.test),
        0.0 if at_end.accuracy is None else at_end.accuracy.value,
        0.0 if closed.accuracy is None else closed.accuracy.value,
        0.0 if at_end.agreement is None else at_end.agreement.value,
        float(equal / total),
    )


def _same(
    net: nn.Module, kind: type[nn.Module], bundle: snncc.Bundle, x: Tensor
) -> tuple[int, int]:
    """How many neurons send what torch computed, of how many."""
    given: list[Array] = []
    handles = [
        part.register_forward_hook(lambda part, x, result: given.append(result.numpy()))
        for part in net.modules()
        if isinstance(part, kind)
    ]
    with torch.no_grad():
        net(x)
    for handle in handles:
        handle.remove()
    spikes = bundle.run(x.numpy(), record=True).execution.spikes
    sent = [
        _values(spikes[node.name], node.type) * node.op.scale.floats
        for node in bundle.graph
        if isinstance(node.op, Population) and isinstance(node.type, Spikes)
    ]
    near = [np.isclose(a, b, rtol=NEAR, atol=0) for a, b in zip(sent, given, strict=True)]
    return sum(int(each.sum()) for each in near), sum(each.size for each in near)


def _values(train: Array, kind: Spikes) -> Floats:
    """What spikes (N, T, *shape) stand for, in units of their population's scale."""
    steps = np.arange(train.shape[1]).reshape(-1, *[1] * (train.ndim - 2))
    match kind.code:
        case FirstSpike(tau=tau):
            weight = np.exp2(-steps / tau)
        case Radix(steps=digits, levels=levels):
            weight = np.exp2(digits - 1.0 - steps) / levels
        case _:
            weight = np.full(steps.shape, 1 / len(steps))
    values: Floats = (train * weight).sum(axis=1)
    return values


def _data(images: Images) -> snncc.Dataset:
    return snncc.Dataset({"x": images.x.numpy()}, images.y.numpy())
