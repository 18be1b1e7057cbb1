"""The backend outside of the core: found as a plug-in, exact, and not known to the core."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import helper

import snncc
from snncc_backends import backend, targets
from tests.conftest import ROOT
from tests.e2e.models import dyadic, save
from tests.e2e.test_binary import signs
from tests.plugin.installed import write_metadata
from tests.unit.test_layers import sources

PLUGIN = ROOT / "examples" / "backends" / "xbar"
PUBLIC = {"snncc", "snncc.ir", "snncc.ir.ops", "snncc.backends", "snncc.testing"}
SHAPE = (2, 6, 6)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """What pip would write of the package beside its files: its pyproject.toml's entry points."""
    write_metadata(PLUGIN, tmp_path / "site")
    return tmp_path / "site"


@pytest.fixture
def installed(site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As pip would leave it, for the length of a test."""
    monkeypatch.syspath_prepend(str(PLUGIN))
    monkeypatch.syspath_prepend(str(site))


def binary_network(folder: Path) -> Path:
    """A convolution of dyadic weights, a binary one, a max pool, a binary dense layer."""
    nodes = [
        helper.make_node("Conv", ["x", "w1"], ["c1"], "/1/Conv", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c1"], ["r1"], "/1/Relu"),
        helper.make_node("Conv", ["r1", "w2"], ["c2"], "/2/Conv", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c2"], ["r2"], "/2/Relu"),
        helper.make_node("MaxPool", ["r2"], ["m2"], "/2/Pool", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Flatten", ["m2"], ["f"], "/Flatten"),
        helper.make_node("Gemm", ["f", "w3"], ["y"], "/3/Gemm", transB=1),
    ]
    constants = {
        "w1": dyadic(1, 8, 2, 3, 3), "w2": signs(2, 12, 8, 3, 3, alpha=0.25),
        "w3": signs(3, 5, 108, alpha=0.125),
    }  # fmt: skip
    return save(folder / "binary.onnx", nodes, SHAPE, constants)


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("cells", ["pair", "reference"])
def test_a_binary_network_on_arrays_is_exact(tmp_path: Path, cells: str) -> None:
    assert "xbar" in targets()
    assert backend("xbar").rules
    bundle = snncc.compile(
        binary_network(tmp_path),
        target="xbar",
        calibration=dyadic(4, 16, *SHAPE),
        output=tmp_path / "bundle",
        steps=16,
        array=64,
        cells=cells,
    )
    text = (bundle.folder / "network.sir").read_text(encoding="utf-8")
    assert text.count("weight=binary{") == 2
    arrays = list((bundle.folder / "xbar" / "arrays").iterdir())
    assert {path.stat().st_size for path in arrays} == {64 * 64 // 8}
    data = dyadic(5, 10, *SHAPE)
    figures = bundle.verify(tmp_path / "binary.onnx", data, exact=10)
    assert figures.holds
    assert figures.exact is not None
    assert figures.exact.spikes > 1000


@pytest.mark.usefixtures("installed")
def test_cells_are_what_runs(tmp_path: Path) -> None:
    """One bit of one array turned changes the results: it is not the graph that is simulated."""
    bundle = snncc.compile(
        binary_network(tmp_path),
        target="xbar",
        calibration=dyadic(4, 16, *SHAPE),
        output=tmp_path / "bundle",
    )
    data = {bundle.graph.inputs[0].name: dyadic(5, 10, *SHAPE)}
    before = bundle.runner.run(data)
    path = bundle.folder / "xbar" / "arrays" / "0.bin"
    cells = bytearray(path.read_bytes())
    cells[0] ^= 0x80
    path.write_bytes(bytes(cells))
    after = backend("xbar").load(bundle.folder, bundle.graph).run(data)
    assert any(not np.array_equal(after.totals[name], before.totals[name]) for name in after.totals)


def test_its_own_tests_and_the_kit_pass(site: Path) -> None:
    """In a process of their own, as its author runs them."""
    roots = [str(ROOT / name) for name in ("", "ir", "backends", "templates")]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(PLUGIN)]
    command += ["-k", "not TestReferenceColumns"]  # test_xbar.py has these, too
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(PLUGIN), *roots])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]
    assert "passed" in done.stdout


def test_the_core_does_not_know_it() -> None:
    core = [path for path in sources() if re.search("xbar|crossbar", path.read_text("utf-8"), re.I)]
    assert core == []
    templates = [path for path in (ROOT / "templates").rglob("*") if path.is_file()]
    assert not [path for path in templates if b"xbar" in path.read_bytes()]


def test_it_imports_only_what_is_public() -> None:
    for path in sorted((PLUGIN / "snncc_xbar").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
                private = [alias.name for alias in node.names if alias.name.startswith("_")]
                assert not private, path
            for name in names:
                if name.startswith("snncc") and not name.startswith("snncc_xbar"):
                    assert name in PUBLIC, f"{path.name} imports {name}"
