"""A small training loop: seeded, resumable, with mixed precision where there is a GPU.

    history = fit(net, split.train, epochs=40, seed=0, optimizer=adam(2e-3), checkpoint="run.pt")

All randomness of an epoch (order of samples, augmentation, dropout) follows from the seed and the
epoch's number. So a run that was interrupted goes on from its checkpoint as if it had not been: on
one machine's CPU, with as many threads, to the last bit.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from snncc.cli.console import Report, progress
from snncc.train.checkpoint import Checkpoint, Part
from snncc.train.data import Images
from snncc.train.objectives import Classification, Objective

Augment = Callable[[Tensor, torch.Generator], Tensor]
"""From a batch (N, C, H, W) and the generator of all randomness to another batch."""
OnEpoch = Callable[[int, nn.Module], None]
MakeOptimizer = Callable[[nn.Module], Optimizer]
MakeSchedule = Callable[[Optimizer, int], LRScheduler]
"""From an optimizer and the number of epochs; stepped after each epoch."""


@dataclass(frozen=True)
class Epoch:
    """One epoch of a history. losses: mean over samples of each of the objective's terms.

    accuracy: share of the training samples that were right while the network learned from them.
    validation: share of the validation samples that are right after the epoch, if there are any.
    """

    number: int
    learning_rate: float
    losses: dict[str, float]
    accuracy: float
    validation: float | None


def adam(rate: float, decay: float = 0.0) -> MakeOptimizer:
    """AdamW; decay is for weights of two and more axes, not for biases and other vectors."""
    return lambda module: torch.optim.AdamW(_groups(module, decay), lr=rate)


def sgd(rate: float, momentum: float = 0.9, decay: float = 0.0) -> MakeOptimizer:
    """Stochastic gradients with Nesterov's momentum (none: momentum=0); decay as of `adam`."""
    return lambda module: torch.optim.SGD(
        _groups(module, decay), lr=rate, momentum=momentum, nesterov=momentum > 0
    )


def cosine(optimizer: Optimizer, epochs: int) -> LRScheduler:
    """Half a cosine down to 0 (Loshchilov and Hutter 2017)."""
    return torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs)


def constant(optimizer: Optimizer, epochs: int) -> LRScheduler:
    """The same rate all the time."""
    return torch.optim.lr_scheduler.ConstantLR(optimizer, 1.0, epochs)


def fit(
    module: nn.Module,
    data: Images,
    *,
    epochs: int,
    seed: int,
    batch: int = 64,
    objective: Objective | None = None,
    optimizer: MakeOptimizer | None = None,
    schedule: MakeSchedule = cosine,
    augment: Augment | None = None,
    validation: Images | None = None,
    on_epoch: OnEpoch | None = None,
    report: Callable[[Epoch], None] | None = None,
    checkpoint: Path | str | None = None,
    device: torch.device | str | None = None,
    mixed: bool | None = None,
    quiet: bool = False,
) -> list[Epoch]:
    """Trains `module` in place; returns what every epoch gave. Leaves it in evaluation mode.

    on_epoch is called before each epoch with its number, from 0, and the module. A resumed run
    calls it for the epochs that are behind, too, before it takes parameters and buffers from the
    checkpoint: what it does should follow from its arguments.
    report is called after each epoch that is trained.
    checkpoint: a file that is replaced as a whole after each epoch; a run with the same arguments
    goes on from there, and does nothing but restore the network when all epochs are done.
    device: a GPU if there is one. mixed: float16 with scaled gradients; by default on a GPU.
    A last batch of one sample is left out, as BatchNormalization has no variance there.

    Raises ValueError for arguments that make no sense, FloatingPointError when the loss is not a
    finite number (the checkpoint is then that of the epoch before), SNN030 for a checkpoint of
    another run or a damaged one, SNN050 when it cannot be written.
    """
    if epochs < 1 or batch < 2 or seed < 0 or len(data) < 2:
        raise ValueError(
            f"there are {epochs} epochs of {len(data)} samples in batches of {batch} with seed "
            f"{seed}, should be at least 1, 2, 2, and 0"
        )
    place = _device(device)
    module.to(place)
    state = _State(
        module,
        (optimizer or adam(1e-3))(module),
        objective or Classification(),
        place,
        place.type == "cuda" if mixed is None else mixed,
    )
    plan = schedule(state.optimizer, epochs)
    run = {"seed": seed, "epochs": epochs, "batch": batch, "samples": len(data)}
    kept = None if checkpoint is None else Checkpoint(Path(checkpoint), run)
    parts: dict[str, Part] = {
        "module": module,
        "optimizer": state.optimizer,
        "schedule": plan,
        "scaler": state.scaler,
    }
    history = [] if kept is None else [Epoch(**found) for found in kept.history()]
    for number in range(len(history)):
        _begin(number, seed, module, on_epoch)
    if kept is not None and history:
        kept.restore(parts)
    with progress(quiet) as shown:
        for number in range(len(history), epochs):
            rate = float(state.optimizer.param_groups[0]["lr"])
            with _seeded(seed, number) as generator:
                if on_epoch is not None:
                    on_epoch(number, module)
                batches = _batches(data, batch, augment, generator, place)
                what = f"epoch {number + 1}/{epochs}"
                losses, share = state.epoch(batches, partial(_show, shown, what, len(data)))
            plan.step()
            found = None if validation is None else accuracy(module, validation, batch)
            history.append(Epoch(number, rate, losses, share, found))
            if kept is not None:
                kept.write(parts, [asdict(epoch) for epoch in history])
            if report is not None:
                report(history[-1])
    module.eval()
    return history


@torch.no_grad()
def accuracy(module: nn.Module, data: Images, batch: int = 256) -> float:
    """Share of samples of which the largest logit is that of their class; in evaluation mode."""
    training, place = {part: part.training for part in module.modules()}, _place(module)
    module.eval()
    right = 0
    for x, y in zip(data.x.split(batch), data.y.split(batch), strict=True):
        right += int((module(x.to(place)).argmax(1).cpu() == y).sum())
    for part, was in training.items():
        part.training = was
    return right / len(data)


class _State:
    """What a step of training needs."""

    def __init__(
        self,
        module: nn.Module,
        optimizer: Optimizer,
        objective: Objective,
        place: torch.device,
        mixed: bool,
    ) -> None:
        self.module, self.optimizer, self.objective = module, optimizer, objective
        self._place, self._mixed = place, mixed
        self.scaler = torch.amp.GradScaler(place.type, enabled=mixed and place.type == "cuda")

    def epoch(
        self, batches: Iterator[tuple[Tensor, Tensor]], report: Callable[[int], None]
    ) -> tuple[dict[str, float], float]:
        """One epoch; returns means of the terms, and the share of samples that were right."""
        self.module.train()
        sums: dict[str, float] = {}
        right = seen = 0
        for x, y in batches:
            terms, correct = self._step(x, y)
            seen += len(x)
            right += correct
            for name, value in terms.items():
                if not math.isfinite(value):
                    raise FloatingPointError(
                        f"the loss ({name}) is {value} after {seen} samples of the epoch, should "
                        "be a finite number; try a lower learning rate"
                    )
                sums[name] = sums.get(name, 0.0) + value * len(x)
            report(seen)
        return {name: total / seen for name, total in sums.items()}, right / seen

    def _step(self, x: Tensor, y: Tensor) -> tuple[dict[str, float], int]:
        self.optimizer.zero_grad(set_to_none=True)
        half = torch.float16 if self._place.type == "cuda" else torch.bfloat16
        with torch.autocast(self._place.type, dtype=half, enabled=self._mixed):
            logits, terms = self.objective(self.module, x, y)
            loss = torch.stack([term.float() for term in terms.values()]).sum()
        self.scaler.scale(loss).backward()
        self.scaler.step(self.optimizer)
        self.scaler.update()
        right = int((logits.detach().argmax(1) == y).sum())
        return {name: float(term.detach()) for name, term in terms.items()}, right


def _batches(
    data: Images,
    batch: int,
    augment: Augment | None,
    generator: torch.Generator,
    place: torch.device,
) -> Iterator[tuple[Tensor, Tensor]]:
    for which in torch.randperm(len(data), generator=generator).split(batch):
        if len(which) < 2:
            continue
        x = data.x[which].to(place)
        yield augment(x, generator) if augment else x, data.y[which].to(place)


def _show(shown: Report, what: str, total: int, done: int) -> None:
    shown(what, done, total)


def _begin(number: int, seed: int, module: nn.Module, on_epoch: OnEpoch | None) -> None:
    """Tells of an epoch that is behind."""
    if on_epoch is not None:
        with _seeded(seed, number):
            on_epoch(number, module)


@contextmanager
def _seeded(seed: int, number: int) -> Iterator[torch.Generator]:
    """torch's and numpy's own generators are seeded for an epoch, and afterwards as before.

    Gives a generator of its own for the order of samples and for augmentation.
    """
    own, torchs, numpys = np.random.SeedSequence([seed, number]).generate_state(3, np.uint32)
    before = np.random.get_state()
    with torch.random.fork_rng():
        torch.manual_seed(int(torchs))
        np.random.seed(int(numpys))
        try:
            yield torch.Generator().manual_seed(int(own))
        finally:
            np.random.set_state(before)


def _groups(module: nn.Module, decay: float) -> list[dict[str, object]]:
    every = [parameter for parameter in module.parameters() if parameter.requires_grad]
    if not decay:
        return [{"params": every, "weight_decay": 0.0}]
    return [
        {"params": [p for p in every if p.ndim > 1], "weight_decay": decay},
        {"params": [p for p in every if p.ndim <= 1], "weight_decay": 0.0},
    ]


def _device(wanted: torch.device | str | None) -> torch.device:
    if wanted is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return torch.device(wanted)


def _place(module: nn.Module) -> torch.device:
    """Where a module's parameters are."""
    for parameter in module.parameters():
        return torch.device(parameter.device)
    return torch.device("cpu")
