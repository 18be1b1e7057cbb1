"""The documentation says what the code does: generated parts, codes, links, commands."""

import inspect
import re
from collections import Counter
from importlib import import_module
from pathlib import Path

import onnx
import pytest

from snncc.cli.main import COMMANDS
from snncc.onnx import lowerings
from snncc.onnx.curves import APPROXIMATED, RAMPS, fit_of
from snncc.passes.registry import passes
from snncc_ir import CATALOG
from tests.conftest import ROOT
from tests.onnx_backend.backend import EVERY_INPUT
from tests.onnx_backend.cases import KINDS, all_cases
from tests.onnx_backend.rules import RULES, rule_of

DOCS = sorted([*(ROOT / "docs").rglob("*.md"), ROOT / "README.md", ROOT / "CHANGELOG.md"])


def operators_page() -> str:
    """docs/operators.md from the tables of the front end, and the ONNX project's cases."""
    return "\n".join([*_operators(), *_approximations(), *_backend_cases(), ""])


def _approximations() -> list[str]:
    """The largest error of each activation that is a sum of ramps."""
    fits = {name: fit_of(name) for name in APPROXIMATED}
    fits["Gelu (tanh)"] = fit_of("Gelu", approximate="tanh")
    return [
        "",
        "## Approximations",
        "",
        "Neurons are piecewise linear. With `--approximate` (`compile`, `inspect`, `sweep`;",
        "`approximate=True` in Python) an activation that is not becomes a sum of clipped ramps,",
        f"f(x) ≈ c + Σ s·clip(x − t, 0, w), {RAMPS} of them at most between the two lines that it",
        "is far from 0, each a population with a ceiling. Corners are chosen so that the largest",
        "error, over all x, is least. What exporters take apart, such as x·Sigmoid(x), GELU by",
        "Erf or Tanh, and HardSwish by Clip, is approximated as a whole.",
        "",
        "| activation | populations | largest error |",
        "|---|---|---|",
        *(
            f"| {name} | {found.populations} | {found.error:.4f} |"
            for name, found in sorted(fits.items())
        ),
    ]


def _backend_cases() -> list[str]:
    """How many of the ONNX project's cases are run, and why others are not."""
    rules = Counter(rule.reason if (rule := rule_of(case)) else "" for case in all_cases())
    run = rules.pop("")
    return [
        "",
        "## The ONNX project's own tests",
        "",
        f"The onnx package (here {onnx.__version__}) comes with {len(all_cases())} cases of the",
        f"kinds {', '.join(KINDS)}. {run} of them",
        "are imported, with all inputs but the data as constants, and give what the case expects",
        "at the case's tolerance. For each of the others, the first of these rules holds, which",
        "look at the case alone:",
        "",
        "| cases | a case that |",
        "|---|---|",
        *(f"| {rules[rule.reason]} | {rule.reason} |" for rule in RULES),
        "",
        f"Data are the first input; of {', '.join(sorted(EVERY_INPUT))} all inputs are. The first",
        "axis is the batch's; elementwise operators do not care, and get an axis more. Softmax,",
        "LogSoftmax and ArgMax, which are left out at the end of a network, are computed behind",
        "its results by onnx's reference implementation.",
    ]


def _operators() -> list[str]:
    files: dict[str, list[str]] = {}
    for name, function in lowerings().items():
        files.setdefault(function.__module__, []).append(name)
    rows = []
    for module in sorted(files):
        summary = (inspect.getdoc(import_module(module)) or "").replace("\n", " ")
        operators = ", ".join(f"`{name}`" for name in files[module])
        rows.append(f"| {operators} | {summary.split('. ')[0].rstrip('.')} |")
    return [
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
    ]


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
    text = re.sub(r"(?ms)^ *```.*?^ *```$", "", path.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)#]+)\)", text):
        if not target.startswith("https://"):
            assert (path.parent / target).exists(), target


def test_passes_and_commands_are_in_the_docs() -> None:
    design = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([a-z0-9-]+)` \|", design, re.MULTILINE)) == set(passes())
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for command in set(COMMANDS) - {"compile"}:
        assert f"snncc {command} " in readme or f"snncc {command}\n" in readme
