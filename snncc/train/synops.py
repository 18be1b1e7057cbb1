"""Synaptic operations as a loss (Sorbaro et al. 2020): networks that are trained to send less.

    operations = SynapticOperations(net, x[:1])
    objective = TargetOperations(Classification(), operations, target=50_000)
    fit(net, data, objective=objective, …)

A spike of a neuron costs one operation for each synapse that it meets, its fan-out: those of layer
l are Σ over its inputs of spikes × fan-out. They are counted where they arrive, at each convolution
and dense layer, so that spikes that a max pool lets through count, and an average pool's all do.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from snncc.train.fan_out import LAYERS, Sums, fan_out
from snncc.train.objectives import Losses, Objective
from snncc.train.qcfs import QcfsActivation
from snncc.train.quantized_relu import QuantizedReLU

PLAIN = (nn.ReLU, nn.ReLU6, nn.Hardtanh)
"""Activations that are no whole numbers of spikes by themselves; `unit` says what one is worth."""
NEURONS = (QuantizedReLU, QcfsActivation, *PLAIN)


UnitOf = Callable[[nn.Module], Tensor | float]
Reads = dict[tuple[str, int], Tensor]
"""What layers read, (C, …), by name and number of the call."""


class SynapticOperations:
    """Counts the synaptic operations of a network while it runs, by hooks; it stays as it is.

    module: convolutions and dense layers, activations that are modules, pools, and what moves
    numbers. sample: (1, …), an input of the shape that the network will get; what it holds does not
    matter. unit: what one spike of a ReLU that is not quantized is worth.

    After each call of the network, `layers` has for every layer by its name the mean operations of
    a sample, and `total` their sum: scalars with gradients. The input is no population, and the
    operations of the layers that read it depend on no weight: they are not counted.

    Raises ValueError when activations are functions, when a layer reads spikes to which something
    is added (BatchNormalization in front of a convolution), or when none reads any.
    """

    def __init__(self, module: nn.Module, sample: Tensor, unit: float = 1.0) -> None:
        if not unit > 0:
            raise ValueError(f"unit is {unit}, should be positive")
        self._module, self._unit = module, unit
        self._found: list[tuple[str, Tensor]] = []
        self._calls: dict[str, int] = {}
        self._weights = _Trial(module, sample, self.unit_of).weights()
        self._handles = [self._beginning()]
        for name, part in module.named_modules():
            if isinstance(part, LAYERS):
                self._handles.append(self._counting(name, part))

    def unit_of(self, activation: nn.Module) -> Tensor | float:
        """What one spike of an activation is worth."""
        match activation:
            case QuantizedReLU():
                return activation.step
            case QcfsActivation():
                return activation.scale / activation.levels
        return self._unit

    @property
    def layers(self) -> dict[str, Tensor]:
        """Mean operations of a sample by layer, of the last call of the network."""
        found: dict[str, Tensor] = {}
        for name, count in self._found:
            found[name] = found[name] + count if name in found else count
        return found

    @property
    def total(self) -> Tensor:
        """Operations of a sample; raises ValueError before the network has been called."""
        if not self._found:
            raise ValueError(
                "the network has not been called, should be before operations are asked for"
            )
        return torch.stack([count for _, count in self._found]).sum()

    def remove(self) -> None:
        """Takes the hooks off the network."""
        for handle in self._handles:
            handle.remove()

    def _beginning(self) -> RemovableHandle:
        """Forgets the last call. A copy of the network, which has the hooks too, is not counted."""

        def hook(module: nn.Module, given: tuple[Any, ...]) -> None:
            if module is self._module:
                self._found, self._calls = [], {}

        return self._module.register_forward_pre_hook(hook)

    def _counting(self, name: str, own: nn.Module) -> RemovableHandle:
        def hook(layer: nn.Module, given: tuple[Tensor, ...]) -> None:
            if layer is not own:
                return
            (x,) = given
            call = self._calls.get(name, 0)
            self._calls[name] = call + 1
            counts = [
                (x.float() * weight.to(x.device)).sum() / self.unit_of(source)
                for source, weight in self._weights.get((name, call), [])
            ]
            if counts:
                self._found.append((name, torch.stack(counts).sum() / len(x)))

        return own.register_forward_pre_hook(hook)


@dataclass(frozen=True)
class TargetOperations:
    """Adds `weight` · ((S − target)/target)², S the operations of a sample, to an objective.

    The network that is trained is the one that `operations` counts.
    """

    objective: Objective
    operations: SynapticOperations
    target: float
    weight: float = 1.0

    def __post_init__(self) -> None:
        if not self.target > 0:
            raise ValueError(f"target is {self.target}, should be above 0")

    def __call__(self, module: nn.Module, x: Tensor, y: Tensor) -> Losses:
        logits, terms = self.objective(module, x, y)
        apart = (self.operations.total - self.target) / self.target
        return Losses(logits, {**terms, "operations": self.weight * apart**2})


@dataclass(frozen=True)
class WeightedL1:
    """Adds `weight` · S, the L1 norm of spikes weighted by their fan-out, to an objective."""

    objective: Objective
    operations: SynapticOperations
    weight: float

    def __call__(self, module: nn.Module, x: Tensor, y: Tensor) -> Losses:
        logits, terms = self.objective(module, x, y)
        return Losses(logits, {**terms, "operations": self.weight * self.operations.total})


class _Trial:
    """Runs of a network in which chosen neurons send one spike each, and the others none."""

    def __init__(self, module: nn.Module, sample: Tensor, unit_of: UnitOf) -> None:
        self._module, self._unit_of = module, unit_of
        self._sample = torch.zeros_like(sample[:1])
        self._sources = [part for part in module.modules() if isinstance(part, NEURONS)]

    def weights(self) -> dict[tuple[str, int], list[tuple[nn.Module, Tensor]]]:
        """For what each layer reads: by source, fan-out × spikes per unit of it, (C, …)."""
        layers = dict(self._module.named_modules())
        nothing = self._run(None, sums=False)
        found: dict[tuple[str, int], list[tuple[nn.Module, Tensor]]] = {}
        taken = {key: torch.zeros_like(x) for key, x in nothing.items()}
        for source in self._sources:
            values, spikes = (self._run(source, sums) for sums in (False, True))
            for key, value in values.items():
                if not value.any():
                    continue
                place = f"layer '{key[0]}'"
                if nothing[key].any():
                    raise ValueError(
                        f"something is added to the spikes that {place} reads, should be spikes "
                        "alone; put BatchNormalization behind the layer, in front of its activation"
                    )
                if (taken[key] * value).any():
                    raise ValueError(
                        f"{place} reads sums of spikes of several activations, should be spikes of "
                        "one activation at each place; put an activation behind the sum"
                    )
                taken[key] += value
                each = torch.where(value != 0, spikes[key] / value, 0.0)
                weight = each * fan_out(layers[key[0]], value.shape)
                found.setdefault(key, []).append((source, weight))
        if not found:
            raise ValueError("no convolution or dense layer reads spikes, should be at least one")
        return found

    @torch.no_grad()
    def _run(self, sending: nn.Module | None, sums: bool) -> Reads:
        """What layers read when one activation's neurons all give 1, and all others' 0."""
        reads: Reads = {}
        calls: dict[str, int] = {}
        mode = Sums()

        def begins(part: nn.Module, given: Sequence[Tensor]) -> None:
            mode.in_neurons = True

        def sent(part: nn.Module, given: Sequence[Tensor], result: Tensor) -> Tensor:
            mode.in_neurons = False
            return torch.full_like(result, 1.0 if part is sending else 0.0)

        def reading(name: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
            def hook(part: nn.Module, given: tuple[Tensor, ...]) -> None:
                call = calls.get(name, 0)
                calls[name] = call + 1
                reads[name, call] = given[0][0].detach().cpu().float()

            return hook

        def silent(part: nn.Module, given: Sequence[Tensor], result: Tensor) -> Tensor:
            return torch.zeros_like(result)

        handles = [part.register_forward_pre_hook(begins) for part in self._sources]
        handles += [part.register_forward_hook(sent) for part in self._sources]
        for name, part in self._module.named_modules():
            if isinstance(part, LAYERS):
                handles.append(part.register_forward_pre_hook(reading(name)))
                handles.append(part.register_forward_hook(silent))
        training = {part: part.training for part in self._module.modules()}
        self._module.eval()
        try:
            if sums:
                with mode:
                    self._module(self._sample)
            else:
                self._module(self._sample)
        finally:
            for part, was in training.items():
                part.training = was
            for handle in handles:
                handle.remove()
        return reads
