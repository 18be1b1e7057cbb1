"""The training loop: what it learns, its seed, going on after an interruption, its errors."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from snncc.train import (
    Augmentation,
    Classification,
    Distillation,
    Epoch,
    Images,
    Losses,
    accuracy,
    adam,
    constant,
    fit,
    sgd,
)  # fmt: skip
from snncc.train.loop import OnEpoch
from snncc_ir import SnnccError


def blobs(count: int = 96) -> Images:
    """Three classes of 1×4×4 images that a small network tells apart."""
    random = torch.Generator().manual_seed(5)
    y = torch.arange(count) % 3
    x = 0.4 * torch.randn(count, 1, 4, 4, generator=random)
    x[torch.arange(count), 0, y] += 1
    return Images(x, y)


def network(seed: int = 3) -> nn.Sequential:
    """With BatchNormalization and dropout, so that buffers and generators count, too."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(
            nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(),
            nn.Dropout(0.2), nn.Linear(64, 3),
        )  # fmt: skip


def train(module: nn.Module, **changed: object) -> list[Epoch]:
    arguments: dict[str, object] = {
        "epochs": 5, "seed": 7, "batch": 20, "optimizer": sgd(0.05, decay=1e-3), "device": "cpu",
        "augment": Augmentation(crop=1),
    }  # fmt: skip
    return fit(module, blobs(), **{**arguments, **changed})  # type: ignore[arg-type]


def same(one: nn.Module, other: nn.Module) -> bool:
    states = zip(one.state_dict().items(), other.state_dict().items(), strict=True)
    return all(a == b and torch.equal(x, y) for (a, x), (b, y) in states)


def test_it_learns_and_says_how() -> None:
    net, told = network(), list[Epoch]()
    history = train(net, epochs=8, augment=None, validation=blobs(), report=told.append)
    assert told == history
    assert [epoch.number for epoch in history] == list(range(8))
    first, last = history[0], history[-1]
    assert last.losses["cross entropy"] < first.losses["cross entropy"] / 2
    assert last.validation == accuracy(net, blobs()) > 0.95
    assert first.learning_rate == 0.05 > last.learning_rate > 0
    assert not net.training


def test_the_seed_decides_and_outside_generators_stay() -> None:
    torch.manual_seed(1)
    np.random.seed(1)
    here = torch.random.get_rng_state(), np.random.get_state()[1].copy()  # type: ignore[index,union-attr]
    nets = [network() for _ in range(3)]
    histories = [train(nets[0]), train(nets[1]), train(nets[2], seed=8)]
    assert same(nets[0], nets[1])
    assert histories[0] == histories[1]
    assert not same(nets[0], nets[2])
    assert torch.equal(here[0], torch.random.get_rng_state())
    assert np.array_equal(here[1], np.random.get_state()[1])  # type: ignore[index]


@pytest.mark.parametrize("optimizer", [sgd(0.05, decay=1e-3), adam(0.01, decay=1e-2)])
def test_an_interrupted_run_goes_on_as_if_it_had_not_been(
    tmp_path: Path, optimizer: object
) -> None:
    whole, parts, fresh = network(), network(), network(seed=99)
    path = tmp_path / "run.pt"
    drawn: list[list[float]] = [[], [], []]

    def draws(run: int, stop: int) -> OnEpoch:
        def on_epoch(number: int, module: nn.Module) -> None:
            drawn[run].append(float(np.random.random() + torch.rand(1)))
            if number == stop:
                raise KeyboardInterrupt

        return on_epoch

    expected = train(whole, optimizer=optimizer, on_epoch=draws(0, -1))
    with pytest.raises(KeyboardInterrupt):
        train(parts, optimizer=optimizer, checkpoint=path, on_epoch=draws(1, 3))
    resumed = train(fresh, optimizer=optimizer, checkpoint=path, on_epoch=draws(2, -1))
    assert resumed == expected
    assert same(fresh, whole)
    assert drawn == [drawn[0], drawn[0][:4], drawn[0]]
    assert len(drawn[0]) == 5
    finished = network(seed=100)
    assert train(finished, optimizer=optimizer, checkpoint=path) == expected
    assert same(finished, whole)
    assert [file.name for file in tmp_path.iterdir()] == ["run.pt"]


@pytest.mark.parametrize("what", ["damaged", "text", "seed", "network", "executes"])
def test_checkpoints_that_do_not_fit(tmp_path: Path, what: str) -> None:
    path = tmp_path / "run.pt"
    train(network(), epochs=2, checkpoint=path)
    before = path.read_bytes()
    net: nn.Module = network()
    seed, wanted = 7, "cannot be read"
    match what:
        case "damaged":
            path.write_bytes(before[:-500])
        case "text":
            path.write_text("nothing")
        case "seed":
            seed, wanted = 8, "seed 7, epochs 2, batch 20, samples 96, should be seed 8"
        case "network":
            net, wanted = nn.Linear(4, 3), "module does not fit"
        case "executes":
            torch.save({"format": 1, "run": {}, "history": [], "parts": Path("x")}, path)
    with pytest.raises(SnnccError, match=f"SNN030: the checkpoint.*{wanted}"):
        train(net, epochs=2, seed=seed, checkpoint=path)


def test_a_checkpoint_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(SnnccError, match="SNN050"):
        train(network(), checkpoint=tmp_path / "no" / "run.pt")


def test_a_loss_that_is_no_number_keeps_the_epoch_before(tmp_path: Path) -> None:
    path = tmp_path / "run.pt"
    calls = 0

    def objective(module: nn.Module, x: torch.Tensor, y: torch.Tensor) -> Losses:
        nonlocal calls
        calls += 1
        found = Classification()(module, x, y)
        broken = {"penalty": found.logits.sum() * (float("nan") if calls > 10 else 0.0)}
        return Losses(found.logits, {**found.terms, **broken})

    with pytest.raises(FloatingPointError, match=r"\(penalty\) is nan after 20 samples"):
        train(network(), checkpoint=path, objective=objective)
    kept = torch.load(path, weights_only=True)["history"]
    assert [epoch["number"] for epoch in kept] == [0, 1]


@pytest.mark.parametrize("wrong", [{"epochs": 0}, {"batch": 1}, {"seed": -1}])
def test_arguments_that_make_no_sense(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="should be at least"):
        train(network(), **wrong)


def test_a_last_sample_alone_is_left_out() -> None:
    train(network(), batch=95, epochs=1)


def test_the_constant_rate() -> None:
    rates = {epoch.learning_rate for epoch in train(network(), schedule=constant)}
    assert rates == {0.05}


def test_mixed_precision_trains_too() -> None:
    net = network()
    train(net, epochs=8, augment=None, mixed=True)
    assert accuracy(net, blobs()) > 0.9
    assert {parameter.dtype for parameter in net.parameters()} == {torch.float32}


def test_distillation_is_its_formula() -> None:
    teacher, net, data = network(1), network(2).eval(), blobs(6)
    found = Distillation(teacher, share=0.25, temperature=2.0)(net, data.x, data.y)
    assert not teacher.training
    p, q = (torch.softmax(m(data.x) / 2, 1) for m in (teacher, net))
    wanted = (p * (p / q).log()).sum(1).mean()
    assert found.terms["distillation"].item() == pytest.approx(0.25 * 4 * wanted.item(), rel=1e-4)
    alone = Classification()(net, data.x, data.y).terms["cross entropy"]
    assert found.terms["cross entropy"].item() == pytest.approx(0.75 * alone.item())
    found.terms["distillation"].backward()
    assert all(parameter.grad is None for parameter in teacher.parameters())
    with pytest.raises(ValueError, match="share is 2"):
        Distillation(teacher, share=2)
