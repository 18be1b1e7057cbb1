"""Networks of forms that become several populations: compiled, and exact to the spike."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from snncc.onnx import import_model
from snncc_ir import ValueRunner, session
from tests.e2e.test_cli import Cli
from tests.unit.test_onnx import Maker, conv, ints, normal, resize, scalar

SHAPE = (3, 8, 8)


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Cli:
    return Cli(capfd)


def small(*shape: int) -> NDArray[np.float32]:
    """Weights that keep activations about 1."""
    weights: NDArray[np.float32] = normal(*shape) / np.float32(np.sqrt(np.prod(shape[1:])))
    return weights


def encoder_decoder(m: Maker) -> None:
    """Down by a pool, up by nearest neighbors and by a transposed convolution, side by side."""
    conv(m, pads=[1, 1, 1, 1])
    wide = m.node("Relu")
    m.node("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    m.node("Conv", small(4, 4, 3, 3), pads=[1, 1, 1, 1])
    low = m.node("Relu")
    up = resize(m, 2)
    m.last = low
    m.node("ConvTranspose", small(4, 4, 2, 2), strides=[2, 2])
    m.node("Relu")
    m.node("Concat", up, wide, axis=1)
    m.node("Conv", small(4, 12, 3, 3), pads=[1, 1, 1, 1])
    m.node("Relu")


def signed(m: Maker) -> None:
    """Maxima of the input and of leaky activations, a clip with two bounds, a maximum of two."""
    m.node("MaxPool", kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    m.node("Conv", small(4, 3, 3, 3), pads=[1, 1, 1, 1])
    m.node("Relu")
    m.node("Conv", small(4, 4, 1, 1))
    leaky = m.node("LeakyRelu", alpha=0.1)
    m.node("Conv", small(4, 4, 1, 1))
    m.node("Clip", scalar(-1), scalar(1))
    m.node("Max", leaky)
    m.node("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    m.node("Conv", normal(4, 4, 1, 1))
    m.node("Relu")


def moved(m: Maker) -> None:
    m.node("Conv", small(4, 3, 3, 3))
    m.node("Relu")
    m.node("MaxPool", kernel_shape=[2, 2], dilations=[2, 2])
    m.node("Pad", ints(0, 0, 1, 1, 0, 0, 1, 1), mode="reflect")
    m.node("MatMul", small(4, 6).T.copy())
    m.node("HardSigmoid")
    m.node("DepthToSpace", blocksize=2)
    m.node("Conv", normal(3, 1, 3, 3))
    m.node("Relu")


def curved(m: Maker) -> None:
    """A swish in two nodes, a GELU in five, a Tanh."""
    conv(m)
    m.node("Mul", scalar(0.2))
    value = m.last
    m.node("Sigmoid")
    swish = m.node("Mul", value)
    m.node("Conv", small(4, 4, 3, 3))
    value = m.last
    m.node("Div", scalar(2**0.5))
    m.node("Erf")
    m.node("Add", scalar(1))
    m.node("Mul", value)
    m.node("Mul", scalar(0.5))
    m.last, gelu = swish, m.last
    m.node("Conv", small(4, 4, 3, 3))
    m.node("Tanh")
    m.node("Add", gelu)


NETWORKS: dict[str, Callable[[Maker], None]] = {
    "encoder-decoder": encoder_decoder,
    "signed": signed,
    "moved": moved,
    "curved": curved,
}


@pytest.mark.parametrize(
    ("name", "target"),
    [
        *((name, "c") for name in NETWORKS),
        ("signed", "ttfs28"),
        ("encoder-decoder", "loihi"),
    ],
)
def test_compiled_networks_are_exact(name: str, target: str, cli: Cli, tmp_path: Path) -> None:
    """And classes are mostly those of the float network."""
    maker = Maker(*SHAPE)
    NETWORKS[name](maker)
    maker.node("Flatten")
    (size,) = import_model(maker.save(tmp_path), approximate=True).graph.outputs[0].type.shape
    maker.node("Gemm", normal(size, 5))
    model, data = maker.save(tmp_path), tmp_path / "data.npz"
    np.savez(data, x=normal(40, *SHAPE))
    wish = ["--approximate"] if name == "curved" else []
    settings = {"c": ["calibrate=off"], "loihi": ["calibrate=off"]}
    options = [text for setting in settings.get(target, ()) for text in ("--set", setting)]
    compiled = cli(
        model,
        "--target",
        target,
        "--calib",
        data,
        "-o",
        tmp_path / "bundle",
        "--json",
        *wish,
        *options,
    )
    notes = json.loads(compiled.out)["notes"]
    assert sum("is approximated by" in note for note in notes) == (3 if wish else 0)
    manifest = json.loads((tmp_path / "bundle" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest.get("approximate", False) == bool(wish)
    verified = cli(
        "verify", tmp_path / "bundle", "--model", model, "--data", data, "--exact", "4", "--json"
    )
    figures = json.loads(verified.out)
    assert figures["exact"]["samples"] == 4
    assert figures["at_steps"][-1]["agreement"]["value"] >= 0.5


def test_approximation_has_to_be_asked_for(cli: Cli, tmp_path: Path) -> None:
    maker = Maker(*SHAPE)
    curved(maker)
    model = maker.save(tmp_path)
    refused = cli("inspect", model, code=2)
    assert "SNN003: operator Sigmoid is not supported, but as an approximation" in refused.err
    assert "--approximate" in refused.err
    shown = cli("inspect", model, "--approximate", "--json")
    assert len(json.loads(shown.out)["notes"]) == 3


def test_an_approximation_is_as_near_as_it_says(tmp_path: Path) -> None:
    """Of a swish in two nodes, as a whole; its parts leave no populations behind."""
    maker = Maker(4)
    maker.node("Identity")
    value = maker.last
    maker.node("Sigmoid")
    maker.node("Mul", value)
    path = maker.save(tmp_path)
    imported = import_model(path, approximate=True)
    x = np.linspace(-20, 20, 4000, dtype=np.float32).reshape(-1, 4)
    (expected,) = session(str(path)).run(None, {"x": x})
    (found,) = ValueRunner(imported.graph).run({imported.graph.inputs[0].name: x}).values()
    (note,) = imported.notes
    bound = float(note.rpartition(" ")[2])
    off = float(np.abs(found.astype(np.float32) - expected).max())
    assert 0.5 * bound < off <= 1.05 * bound
    assert sum(node.op.name == "neuron" for node in imported.graph) <= 9
