"""Which package may import which: floors without a way back up. And no file grows too long."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import snncc
import snncc.backends
import snncc.ir
import snncc_backends
import snncc_ir
from tests.conftest import ROOT

ALLOWED = {
    "snncc_ir": set[str](),
    "snncc_templates": set[str](),
    "snncc_backends": {"snncc_ir", "snncc_templates"},
    "snncc_c": {"snncc_ir", "snncc_templates", "snncc_backends"},
    "snncc_ttfs28": {"snncc_ir", "snncc_templates", "snncc_backends"},
    "snncc_loihi": {"snncc_ir", "snncc_templates", "snncc_backends"},
    "snncc_nir": {"snncc_ir", "snncc_templates", "snncc_backends"},
    "snncc.onnx": {"snncc_ir"},
    "snncc.passes": {"snncc_ir"},
    "snncc": {"snncc_ir", "snncc_templates", "snncc_backends", "snncc.onnx", "snncc.passes"},
    "snncc.testing": {"snncc_ir", "snncc_backends", "snncc"},
    "snncc.train": {"snncc_ir", "snncc_backends", "snncc"},
    "snncc_pytest": set[str](),
}
LONGEST = 300


def sources() -> list[Path]:
    folders = [ROOT / "snncc", ROOT / "ir", ROOT / "backends", ROOT / "templates"]
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def floor(module: str) -> str:
    return next(
        f for f in sorted(ALLOWED, key=len, reverse=True) if f"{module}.".startswith(f"{f}.")
    )


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_down(path: Path) -> None:
    parts = path.relative_to(ROOT).with_suffix("").parts
    module = ".".join(parts if parts[0] == "snncc" else parts[1:])
    own = floor(module)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        for name in names:
            if name.split(".")[0] in {f.split(".")[0] for f in ALLOWED}:
                assert floor(name) in ALLOWED[own] | {own}, f"{module} imports {name}"


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(ROOT)))
def test_files_stay_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LONGEST


def test_faces_show_the_public_names() -> None:
    for face, package in ((snncc.ir, snncc_ir), (snncc.backends, snncc_backends)):
        assert sorted(face.__all__) == sorted(package.__all__)
        assert all(getattr(face, name) is getattr(package, name) for name in package.__all__)


def test_public_names_are_there_and_cost_nothing_before_they_are_asked_for() -> None:
    assert all(getattr(snncc, name) is not None for name in snncc.__all__)
    assert set(snncc.__all__) <= set(dir(snncc))
    with pytest.raises(AttributeError, match="module 'snncc' has no attribute 'compil'"):
        snncc.compil  # noqa: B018
    script = (
        "import sys, snncc.cli; assert not {'networkx', 'matplotlib', 'onnx_ir'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
