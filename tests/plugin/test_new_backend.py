"""`snncc new-backend` writes a package that works at once."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

import snncc
from snncc.inspection import inspect
from snncc.options import make_settings
from snncc.scaffold import LONGEST_NAME, check_name, new_backend, package
from snncc.verify import compare
from snncc_backends import Backend, Preprocessing, backend, targets
from snncc_backends.registry import BUILT_IN
from snncc_ir import SnnccError
from tests.conftest import ROOT
from tests.e2e.models import mlp, residual, samples
from tests.e2e.test_cli import Cli
from tests.plugin.installed import installed

NAME = "my_chip"
OWN = "own_chip"
"""Of a package that is not installed."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The package, importable and with its entry point."""
    folder = tmp_path_factory.mktemp("new") / "snncc-my-chip"
    new_backend(NAME, folder)
    with installed(folder, folder.parent / "site"):
        yield folder


@pytest.fixture(scope="module")
def chip(project: Path) -> Backend:
    return backend(NAME)


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Cli:
    return Cli(capfd)


def test_it_is_a_target(chip: Backend, cli: Cli) -> None:
    assert list(targets()) == [*BUILT_IN, NAME]
    assert "an example to change" in cli("targets").out
    told = cli("targets", NAME).out
    assert "rule: Neurons are of the model `if`." in told
    assert "neurons that the chip has" in told
    assert "1 to 16777216" in told


@pytest.mark.parametrize("name", ["mlp", "residual"])
def test_its_files_send_the_spikes_of_the_oracle(
    name: str, chip: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The conformance kit has many networks more; weights are asked for in any blocks."""
    model, shape = {"mlp": (mlp, (4,)), "residual": (residual, (2, 6, 6))}[name]
    data = samples(tmp_path / "x.npz", shape)
    made = snncc.compile(model(tmp_path), target=NAME, calibration=data, steps=8)
    x = {node.name: np.load(data)["x"].astype(np.float32) for node in made.graph.inputs}
    found = compare(made.graph, chip.load(made.folder, made.graph), x, 40)
    assert found.holds, found.difference
    assert found.spikes > 200
    settings = make_settings(chip, None, {"steps": 8})
    files = chip.emit(made.graph, Preprocessing(), settings)
    assert files == {path: made.files.file(path) for path in files}
    monkeypatch.setattr("snncc_my_chip.emit.BLOCK", 100)
    assert chip.emit(made.graph, Preprocessing(), settings) == files


def test_it_looks_at_networks(chip: Backend, tmp_path: Path) -> None:
    looks = {look.name: look for look in inspect(mlp(tmp_path)).targets}
    assert looks[NAME].fits
    (look,) = inspect(mlp(tmp_path), NAME, {"neurons": 5}).targets
    assert "the network has 9 neurons, should have at most 5" in look.findings[0].message


def test_it_compiles_digits(cli: Cli, digits: Path, tmp_path: Path, chip: Backend) -> None:
    model, test = digits / "digits.onnx", digits / "test.npz"
    bundle = tmp_path / "bundle"
    calibrated = ("--calib", digits / "calib.npz", "--scale", "1/16")
    made = cli(model, "--target", NAME, *calibrated, "--steps", 8, "-o", bundle)
    assert "target my_chip: synapses 39216" in made.out
    layers = json.loads((bundle / NAME / "network.json").read_bytes())["layers"]
    assert [layer["kind"] for layer in layers] == ["input", "neurons", "max", "neurons", "readout"]
    told = cli("verify", bundle, "--model", model, "--data", test, "--exact").out
    assert "numpy simulator of my_chip" in told
    assert "oracle: exact: " in told
    assert "estimate: " in told


def test_other_weights_are_other_spikes(cli: Cli, tmp_path: Path, chip: Backend) -> None:
    """What runs is the files, and not the network beside them."""
    model = mlp(tmp_path)
    data = samples(tmp_path / "x.npz", (4,))
    made = snncc.compile(model, target=NAME, calibration=data, output=tmp_path / "b")
    words = tmp_path / "b" / NAME / "words.bin"
    numbers = np.fromfile(words, "<i4")
    numbers[-1] += 1 << 14
    words.write_bytes(numbers.tobytes())
    graph = made.graph
    x = {"x": np.load(data)["x"].astype(np.float32)}
    assert not compare(graph, chip.load(tmp_path / "b", graph), x, 8).holds
    words.write_bytes(b"")
    with pytest.raises(SnnccError, match=r"SNN052: the files of my_chip are no network"):
        chip.load(tmp_path / "b", graph)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"neurons": 0}, "neurons is 0, should be 1 to 16777216"),
        ({"neurons": "many"}, "option 'neurons' is 'many', should be a whole number, 1 to 16777"),
        ({"neurons": 2.5}, "option 'neurons' is '2.5', should be a whole number"),
        ({"neurons": 5}, "the network has 9 neurons, should have at most 5"),
        ({"neuron": "signed-if"}, "are signed-if, should be if"),
    ],
)
def test_what_it_does_not_take(
    options: dict[str, object], message: str, tmp_path: Path, chip: Backend
) -> None:
    data = samples(tmp_path / "x.npz", (4,))
    with pytest.raises(SnnccError) as caught:
        snncc.compile(mlp(tmp_path), target=NAME, calibration=data, settings=options)
    assert message in str(caught.value)


@pytest.mark.parametrize("name", [OWN, "ab", "a" * LONGEST_NAME])
def test_it_is_clean(name: str, tmp_path: Path) -> None:
    new_backend(name, tmp_path / "p")
    for arguments in (("check", "--no-cache"), ("format", "--check", "--no-cache")):
        command = [sys.executable, "-m", "ruff", *arguments, "."]
        found = subprocess.run(command, cwd=tmp_path / "p", capture_output=True, text=True)
        assert found.returncode == 0, found.stdout


def test_its_types_are_strict(project: Path, tmp_path: Path) -> None:
    paths = [ROOT, ROOT / "ir", ROOT / "backends", ROOT / "templates"]
    command = [sys.executable, "-m", "mypy", "--cache-dir", str(tmp_path), "snncc_my_chip"]
    environment = {**os.environ, "MYPYPATH": os.pathsep.join(map(str, paths))}
    found = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout


@pytest.mark.skipif(find_spec("snncc.testing") is None, reason="snncc.testing is not here")
def test_it_passes_the_conformance_kit_unmodified(project: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    found = subprocess.run(command, cwd=project, capture_output=True, text=True)
    assert found.returncode == 0, found.stdout
    assert " passed" in found.stdout


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("MyChip", "`snncc new-backend mychip`"),
        ("my-chip", "`snncc new-backend my_chip`"),
        ("my__chip", "`snncc new-backend my_chip`"),
        ("_", "`snncc new-backend mychip`"),
        ("2fast", "`snncc new-backend fast`"),
        ("a" * (LONGEST_NAME + 1), f"`snncc new-backend {'a' * LONGEST_NAME}`"),
        ("a/../b", "`snncc new-backend a_b`"),
        ("loihi", "`snncc new-backend my_loihi`"),
        ("backends", "`snncc new-backend my_backends`"),
        ("rate", "`snncc new-backend my_rate`"),
    ],
)
def test_names_that_are_none(name: str, hint: str, cli: Cli, tmp_path: Path) -> None:
    told = cli("new-backend", name, "-o", tmp_path / "p", code=2).err
    assert "SNN042: the name is '" in told
    assert hint in told
    check_name(hint.strip("`").split()[-1])
    assert list(tmp_path.iterdir()) == []


def test_places_that_are_taken(cli: Cli, tmp_path: Path) -> None:
    place = tmp_path / "p"
    place.mkdir()
    assert f"pip install -e '{place}[test]'" in cli("new-backend", OWN, "-o", place).out
    written = {
        str(path.relative_to(place)): path.read_bytes()
        for path in place.rglob("*")
        if path.is_file()
    }
    assert written == package(OWN)
    (place / "mine.py").write_text("", encoding="utf-8")
    told = cli("new-backend", OWN, "-o", place, code=2).err
    assert "SNN050: the package is there already" in told
    assert "--force" in told
    other = cli("new-backend", "other", "-o", place, "--force", code=2).err
    assert "is no package of that name, so it is left alone" in other
    assert (place / "mine.py").exists()
    cli("new-backend", OWN, "-o", place, "--force")
    assert not (place / "mine.py").exists()
    file = tmp_path / "file"
    file.write_text("mine", encoding="utf-8")
    assert "SNN050" in cli("new-backend", OWN, "-o", file, "--force", code=2).err
    assert "SNN050" in cli("new-backend", OWN, "-o", file / "p", code=2).err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "p"]


def test_the_sources_are_not_left_behind() -> None:
    """Every template is written, and none is named twice."""
    templates = ROOT / "templates" / "snncc_templates" / "backend"
    names = {path.name.removesuffix(".j2") for path in templates.iterdir()}
    written = {Path(path).name.removesuffix(".j2") for path in package(OWN)}
    assert names == written - {"py.typed"}
