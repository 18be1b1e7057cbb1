"""What a network is trained for: terms of a loss, which are added up and reported each by name.

An objective is anything callable with (module, x, y) that returns `Losses`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn


class Losses(NamedTuple):
    """Logits (N, classes), and the terms, scalars, whose sum is what the gradient is taken of."""

    logits: Tensor
    terms: Mapping[str, Tensor]


Objective = Callable[[nn.Module, Tensor, Tensor], Losses]


@dataclass(frozen=True)
class Classification:
    """Cross entropy with the classes, as term `cross entropy`.

    smoothing: share of the target that goes to all classes alike (Szegedy et al. 2016).
    """

    smoothing: float = 0.0

    def __call__(self, module: nn.Module, x: Tensor, y: Tensor) -> Losses:
        logits = module(x)
        loss = nn.functional.cross_entropy(logits, y, label_smoothing=self.smoothing)
        return Losses(logits, {"cross entropy": loss})


@dataclass(frozen=True)
class Distillation:
    """Cross entropy with the classes, and what a trained network says besides (Hinton et al. 2015).

        (1 − share) · CE(z, y) + share · τ² · KL(softmax(teacher/τ) ‖ softmax(z/τ))

    The teacher is in evaluation mode and on the samples' device; no gradient goes there.
    """

    teacher: nn.Module
    share: float = 0.5
    temperature: float = 4.0

    def __post_init__(self) -> None:
        if not 0 <= self.share <= 1 or self.temperature <= 0:
            raise ValueError(
                f"share is {self.share} and temperature {self.temperature}, should be 0 to 1 and "
                "above 0"
            )

    def __call__(self, module: nn.Module, x: Tensor, y: Tensor) -> Losses:
        self.teacher.to(x.device).eval()
        with torch.no_grad():
            wanted = nn.functional.log_softmax(self.teacher(x) / self.temperature, 1)
        logits = module(x)
        said = nn.functional.log_softmax(logits / self.temperature, 1)
        apart = nn.functional.kl_div(said, wanted, reduction="batchmean", log_target=True)
        return Losses(
            logits,
            {
                "cross entropy": (1 - self.share) * nn.functional.cross_entropy(logits, y),
                "distillation": self.share * self.temperature**2 * apart,
            },
        )
