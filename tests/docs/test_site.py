"""The documentation as a site: built strictly, without a warning, every page in its navigation."""

import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.conftest import ROOT

DOCS = ROOT / "docs"


def test_every_page_is_in_the_navigation() -> None:
    """Without mkdocs, too: a page that nobody finds is as good as none."""
    named = set(re.findall(r": ([\w/.-]+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE))
    pages = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")}
    assert named == pages | {"changelog.md"}


def test_site_is_built_without_a_warning(tmp_path: Path) -> None:
    if find_spec("mkdocs") is None or find_spec("material") is None:
        pytest.skip("mkdocs-material is not installed (pip install 'snncc[docs]')")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(tmp_path / "site")]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}  # it is about no page
    found = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stderr
    assert "WARNING" not in found.stderr
    written = {str(path.relative_to(tmp_path / "site")) for path in tmp_path.rglob("*.html")}
    assert {"index.html", "tutorial.html", "changelog.html", "targets/c.html"} <= written
    text = (tmp_path / "site" / "golden-output.html").read_text(encoding="utf-8")
    (linked,) = re.findall(r'href="(files/[^"]*github-actions[^"]*)"', text)
    assert (tmp_path / "site" / linked).read_bytes() == (
        ROOT / "examples" / "ci" / "github-actions.yml"
    ).read_bytes()
