"""The documentation says what the code does: generated parts, codes, links, commands."""

import inspect
import re
from importlib import import_module
from pathlib import Path

import pytest

from snncc.cli.main import COMMANDS
from snncc.onnx import lowerings
from snncc.passes.registry import passes
from snncc_ir import CATALOG
from tests.conftest import ROOT

DOCS = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md"])


def operators_page() -> str:
    """docs/operators.md from the tables of the front end."""
    files: dict[str, list[str]] = {}
    for name, function in lowerings().items():
        files.setdefault(function.__module__, []).append(name)
    rows = []
    for module in sorted(files):
        summary = (inspect.getdoc(import_module(module)) or "").replace("\n", " ")
        operators = ", ".join(f"`{name}`" for name in files[module])
        rows.append(f"| {operators} | {summary.split('. ')[0].rstrip('.')} |")
    return "\n".join(
        [
            "# Supported ONNX operators",
            "",
            "Made from the code by `pytest --update-golden tests/unit/test_docs.py`.",
            "Everything that is constant in a graph is computed at import, whatever its operators",
            "are. `snncc inspect MODEL.onnx` says what a model becomes, and names everything in it",
            "that is not supported.",
            "",
            "| operators | what they become |",
            "|---|---|",
            *rows,
            "",
        ]
    )


def test_operators_page(update_golden: bool) -> None:
    path = ROOT / "docs" / "operators.md"
    if update_golden:
        path.write_text(operators_page(), encoding="utf-8")
    assert path.read_text(encoding="utf-8") == operators_page()


def test_every_diagnostic_is_explained() -> None:
    text = (ROOT / "docs" / "diagnostics.md").read_text(encoding="utf-8")
    headings = dict(re.findall(r"^## (SNN\d{3}): (.*)$", text, re.MULTILINE))
    assert headings == CATALOG


def test_every_diagnostic_is_used_and_tested() -> None:
    folders = [ROOT / "snncc", ROOT / "ir", ROOT / "backends"]
    source = "".join(
        path.read_text(encoding="utf-8")
        for folder in folders
        for path in folder.rglob("*.py")
        if path.name != "diagnostics.py"
    )
    assert set(re.findall(r"SNN\d{3}", source)) == set(CATALOG)
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))
    assert set(CATALOG) - set(re.findall(r"SNN\d{3}", tests)) == set()


@pytest.mark.parametrize("path", DOCS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", path.read_text(encoding="utf-8")):
        if not target.startswith("https://"):
            assert (path.parent / target).exists(), target


def test_passes_and_commands_are_in_the_docs() -> None:
    design = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([a-z0-9-]+)` \|", design, re.MULTILINE)) == set(passes())
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in set(COMMANDS) - {"compile"}:
        assert f"snncc {command} " in readme or f"snncc {command}\n" in readme
