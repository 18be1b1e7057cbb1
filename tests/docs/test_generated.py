"""The pages that are made from the code are as the code is.

    pytest --update-golden tests/docs/test_generated.py

renews them.
"""

import json
import re
import shlex
from collections.abc import Callable, Mapping

import click
import numpy as np
import pytest

from snncc.cli.main import cli
from snncc_backends.bundle import MANIFEST, REPORT
from tests.conftest import ROOT
from tests.docs import pages
from tests.docs.codes_figure import codes_svg, digits, first_spike, meaning, rate

DOCS = ROOT / "docs"
PAGES: dict[str, Callable[[], str]] = {
    "cli.md": pages.cli_page,
    "passes.md": pages.passes_page,
    "ir.md": pages.ir_page,
    "settings.md": pages.settings_page,
    "codes.svg": codes_svg,
}


@pytest.mark.parametrize("name", PAGES)
def test_page_is_not_stale(name: str, update_golden: bool) -> None:
    path, text = DOCS / name, PAGES[name]()
    if update_golden:
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text, "pytest --update-golden renews it"


def test_kinds_of_change(update_golden: bool) -> None:
    path = DOCS / "diff.md"
    text = path.read_text(encoding="utf-8")
    part = re.compile(r"(?<=<!-- kinds -->\n).*?(?=\n<!-- end of kinds -->)", re.DOTALL)
    (found,) = part.findall(text)
    if update_golden:
        text = part.sub(lambda match: f"\n{pages.kinds_of_change()}\n", text)
        path.write_text(text, encoding="utf-8")
        (found,) = part.findall(text)
    assert found.strip() == pages.kinds_of_change()


def test_the_figure_of_codes_is_right() -> None:
    """0.625: five of eight steps; the nearest power of 2^(1/4); 9 of 15 as 1001."""
    assert sum(rate(0.625)) == 5
    slot = first_spike(0.625).index(1)
    levels = 2.0 ** (-np.arange(12) / 4)
    assert slot == int(np.abs(np.log2(levels) - np.log2(0.625)).argmin())
    assert digits(0.625) == [1, 0, 0, 1]
    assert [told[-5:] for _, _, told in meaning(0.625).values()] == ["0.625", "0.595", "0.600"]


def _keys(value: object, path: str = "") -> set[str]:
    """Names of entries of nested objects; of lists, those of the first element."""
    if isinstance(value, list):
        return _keys(value[0], path) if value else set()
    if not isinstance(value, Mapping):
        return set()
    return {str(key) for key in value} | {k for v in value.values() for k in _keys(v)}


@pytest.mark.parametrize("bundle", ["mlp-if", "mlp-ttfs28", "mlp-loihi2"])
def test_entries_of_manifest_and_report_are_explained(bundle: str) -> None:
    """docs/bundle.md names every entry of a bundle, but for settings and figures of targets."""
    page = (DOCS / "bundle.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w.]+)`", page))
    folder = ROOT / "tests" / "golden" / bundle
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    report = json.loads((folder / REPORT).read_text(encoding="utf-8"))
    for key in ("settings", "files"):
        assert manifest.pop(key)
        assert key in named
    report.pop("target")
    assert (_keys(manifest) | _keys(report)) - named == set()


def test_the_workflow_does_what_the_recipe_says() -> None:
    """examples/ci: its commands are ones that snncc takes, the first that of the recipe."""
    workflow = (ROOT / "examples" / "ci" / "github-actions.yml").read_text(encoding="utf-8")
    recipe = (DOCS / "golden-output.md").read_text(encoding="utf-8")
    compiling, *others = re.findall(r"(?:run: |^ +)(snncc [^\n|>]*?)(?: [|>].*)?$", workflow, re.M)
    assert compiling in recipe
    assert any(line.startswith("snncc diff golden/ build/") for line in others)
    for line in (compiling, *others):
        _, *words = shlex.split(line)
        _, command, rest = cli.resolve_command(click.Context(cli), words)
        assert command is not None
        command.make_context("snncc", list(rest))
