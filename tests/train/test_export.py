"""Trained networks as ONNX files: onnxruntime runs them, snncc reads them, the chip keeps them."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: pip install 'snncc[train]'")

from torch import Tensor, nn  # noqa: E402

import snncc  # noqa: E402
from snncc.onnx import import_model  # noqa: E402
from snncc.train import (  # noqa: E402
    CatSchedule,
    Images,
    QcfsActivation,
    QuantizedInput,
    TtfsActivation,
    accuracy,
    adam,
    calibrate_scales,
    digits,
    export,
    fit,
    fold_batchnorm,
    load_initializers,
    quantize_log_weights,
    refit_exponents,
)
from snncc_ir import Log2, Radix, SnnccError, Spikes, ValueRunner  # noqa: E402
from snncc_ir.ops import Conv, Dense, Population  # noqa: E402

EPOCHS = 10


def network(neurons: type[nn.Module], *options: float) -> nn.Sequential:
    """A small digits network."""
    return nn.Sequential(
        QuantizedInput(1 / 16, 16),
        nn.Conv2d(1, 8, 3, padding=1, stride=2, bias=False), nn.BatchNorm2d(8), neurons(*options),
        nn.AvgPool2d(2), nn.Flatten(), nn.Linear(32, 24), neurons(*options), nn.Linear(24, 10),
    )  # fmt: skip


@pytest.fixture(scope="module")
def data() -> tuple[Images, Images]:
    split = digits()
    return split.train.first(700), split.test


def start(net: nn.Sequential, train: Images) -> nn.Sequential:
    """Some epochs, then scales of what they lead to."""
    fit(net, train, epochs=4, seed=0, batch=32, optimizer=adam(5e-3), quiet=True, device="cpu")
    calibrate_scales(net, train.x)
    return net


@pytest.fixture(scope="module")
def cat(data: tuple[Images, Images]) -> nn.Sequential:
    torch.manual_seed(0)
    net = network(TtfsActivation, 12, 2, 0.0, 4.0, False)
    fold_batchnorm(start(net, data[0]))
    quantize_log_weights(net, bits=4)
    schedule = CatSchedule(start=1, each=2)

    def on_epoch(number: int, module: nn.Module) -> None:
        schedule(number, module)
        if number < EPOCHS // 2:
            refit_exponents(module)

    fit(net, data[0], epochs=EPOCHS, seed=0, batch=32, optimizer=adam(3e-3), on_epoch=on_epoch,
        quiet=True, device="cpu")  # fmt: skip
    return net


@pytest.fixture(scope="module")
def qcfs(data: tuple[Images, Images]) -> nn.Sequential:
    torch.manual_seed(0)
    net = start(network(QcfsActivation, 7, 4.0), data[0])
    fit(
        net,
        data[0],
        epochs=EPOCHS,
        seed=0,
        batch=32,
        optimizer=adam(3e-3),
        quiet=True,
        device="cpu",
    )
    return net


@pytest.fixture(scope="module")
def files(
    cat: nn.Sequential,
    qcfs: nn.Sequential,
    data: tuple[Images, Images],
    tmp_path_factory: pytest.TempPathFactory,
) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    export(cat, folder / "cat.onnx", data[1].x[:1])
    export(qcfs, folder / "qcfs.onnx", data[1].x[:1])
    return folder


def outputs_of_layers(net: nn.Sequential, kind: type[nn.Module], x: Tensor) -> list[np.ndarray]:
    """What each activation gives, in order."""
    found: list[np.ndarray] = []
    handles = [
        part.register_forward_hook(lambda m, given, result: found.append(result.numpy()))
        for part in net.modules()
        if isinstance(part, kind)
    ]
    with torch.no_grad():
        net.eval()(x)
    for handle in handles:
        handle.remove()
    return found


def on_chip(bundle: snncc.Bundle, x: np.ndarray) -> list[np.ndarray]:
    """Values of the spikes of each population, in the network's own units, in order."""
    execution = bundle.run(x, record=True).execution
    found = []
    for node in bundle.graph:
        if isinstance(node.op, Population) and isinstance(node.type, Spikes):
            train = execution.spikes[node.name].astype(np.float64)
            steps = np.arange(train.shape[1]).reshape(1, -1, *[1] * (train.ndim - 2))
            code = node.type.code
            worth = np.exp2(-steps / 2) if code.name == "ttfs" else np.exp2(2.0 - steps) / 7
            found.append((train * worth).sum(1) * node.op.scale.floats)
    return found


def test_every_tool_gives_what_torch_gives(
    files: Path, cat: nn.Sequential, qcfs: nn.Sequential, data: tuple[Images, Images]
) -> None:
    for name, net in (("cat", cat), ("qcfs", qcfs)):
        model = onnx.load(files / f"{name}.onnx")
        onnx.checker.check_model(model, full_check=True)
        assert {f.domain for f in model.functions} == {"ai.snncc"}
        with torch.no_grad():
            expected = net(data[1].x).numpy()
        session = onnxruntime.InferenceSession(files / f"{name}.onnx")
        (found,) = session.run(None, {"input": data[1].x.numpy()})
        graph = import_model(files / f"{name}.onnx").graph
        (values,) = ValueRunner(graph).run({"input": data[1].x.numpy()}).values()
        for other in (found, values):
            # sums in another order may fall on the other side of a level, rarely
            off = np.abs(other - expected).max(axis=1) > 1e-4
            assert off.mean() < 0.01


def test_the_chip_sends_what_cat_was_trained_to_send(
    files: Path, cat: nn.Sequential, data: tuple[Images, Images]
) -> None:
    train, test = data
    known = import_model(files / "cat.onnx").trained
    assert known == {"ttfs": {
        "steps": 12, "tau": 2, "offset": 0.0, "resolution": 2, "weight_bits": 4,
    }}  # fmt: skip
    bundle = snncc.compile(files / "cat.onnx", target="ttfs28", calibration=train.x[:64].numpy())
    result = bundle.run(test.x.numpy()).predictions()
    chip = float(np.mean(result == test.y.numpy()))
    assert chip == pytest.approx(accuracy(cat, test), abs=0.003)
    assert chip > 0.5
    for expected, found in zip(
        outputs_of_layers(cat, TtfsActivation, test.x[:100]),
        on_chip(bundle, test.x[:100].numpy()),
        strict=True,
    ):
        differs = ~np.isclose(found, expected, rtol=1e-4, atol=1e-6)
        assert differs.mean() < 0.01  # products are truncated to the accumulator's bits
    layers = [part for part in cat if isinstance(part, nn.Conv2d | nn.Linear)]
    kept = [
        chain[-1].weight
        for node in bundle.graph
        if isinstance(node.op, Population)
        for chain in node.op.maps
        if isinstance(chain[-1], Conv | Dense)
    ]
    for layer, weight in zip(layers, kept, strict=True):
        assert isinstance(weight, Log2)
        ratio = weight.array / np.where(weight.array == 0, 1, layer.weight.detach().numpy())
        used = ratio[weight.array != 0]
        np.testing.assert_allclose(used, used[0], rtol=1e-6)  # codes are those of the training
        np.testing.assert_array_equal(weight.array == 0, layer.weight.detach().numpy() == 0)


def test_the_radix_code_is_qcfs(
    files: Path, qcfs: nn.Sequential, data: tuple[Images, Images]
) -> None:
    train, test = data
    bundle = snncc.compile(files / "qcfs.onnx", coding="radix", calibration=train.x[:64].numpy())
    assert bundle.graph.code == Radix(3)
    result = bundle.run(test.x.numpy()).predictions()
    chip = float(np.mean(result == test.y.numpy()))
    assert chip == pytest.approx(accuracy(qcfs, test), abs=0.003)
    for expected, found in zip(
        outputs_of_layers(qcfs, QcfsActivation, test.x[:100]),
        on_chip(bundle, test.x[:100].numpy()),
        strict=True,
    ):
        differs = ~np.isclose(found, expected, rtol=1e-4, atol=1e-6)
        assert differs.mean() < 0.001  # weights have 16 bits


def test_the_same_network_makes_the_same_bytes(cat: nn.Sequential, tmp_path: Path) -> None:
    for name in ("a.onnx", "b.onnx"):
        export(cat, tmp_path / name, torch.zeros(1, 1, 8, 8))
    assert (tmp_path / "a.onnx").read_bytes() == (tmp_path / "b.onnx").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.onnx", "b.onnx"]


def test_weights_of_a_file_are_a_start(cat: nn.Sequential, tmp_path: Path) -> None:
    """BatchNormalization of the file is folded, its weights are plain."""
    plain = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3))
    export(plain, tmp_path / "plain.onnx", torch.zeros(1, 1, 4, 4))
    other = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3))
    load_initializers(other, tmp_path / "plain.onnx")
    for ours, theirs in zip(plain.parameters(), other.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)
    with pytest.raises(SnnccError, match=r"SNN007.*should be those of the module") as caught:
        load_initializers(nn.Linear(2, 2), tmp_path / "plain.onnx")
    assert "[[2, 1, 3, 3], [3, 8]]" in str(caught.value)
    with pytest.raises(SnnccError, match="SNN001"):
        load_initializers(plain, tmp_path / "none.onnx")


def test_what_would_not_stay_on_the_grid_is_not_exported(tmp_path: Path) -> None:
    net = nn.Sequential(quantize_log_weights(nn.Linear(3, 3)), nn.BatchNorm1d(3))
    with pytest.raises(ValueError, match=r"'0' has logarithmic weights and '1' behind it"):
        export(net, tmp_path / "model.onnx", torch.zeros(1, 3))
    with pytest.raises(SnnccError, match="SNN050"):
        export(nn.Linear(3, 3), tmp_path / "no" / "model.onnx", torch.zeros(1, 3))
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_run_of_cat_goes_on_as_if_it_had_not_been(
    data: tuple[Images, Images], tmp_path: Path
) -> None:
    """Exponents, which activations spike, and weights, to the last bit."""

    class Interruption(Exception):
        pass

    def run(name: str, last: int) -> dict[str, Tensor]:
        torch.manual_seed(0)
        net = network(TtfsActivation, 12, 2, 0.0, 4.0, False)
        quantize_log_weights(net, bits=4)
        schedule = CatSchedule(start=1)

        def on_epoch(number: int, module: nn.Module) -> None:
            if number == last:
                raise Interruption
            schedule(number, module)
            if number < 2:
                refit_exponents(module)

        fit(net, data[0].first(64), epochs=4, seed=0, on_epoch=on_epoch, quiet=True, device="cpu",
            checkpoint=tmp_path / name)  # fmt: skip
        return net.state_dict()

    with pytest.raises(Interruption):
        run("some.pt", 3)
    resumed, whole = run("some.pt", 9), run("all.pt", 9)
    for name, tensor in whole.items():
        torch.testing.assert_close(resumed[name], tensor, rtol=0, atol=0)
