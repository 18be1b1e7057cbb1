"""docs/diagnostics.md: each code has its cause, an example as snncc prints it, and remedies."""

import re
from pathlib import Path

import pytest

from snncc.cli import main
from snncc.cli.main import BUGS
from snncc_ir import CATALOG
from tests.conftest import ROOT
from tests.unit.diagnostic_examples import EXAMPLES, Place

PAGE = ROOT / "docs" / "diagnostics.md"
BLOCK = r"(?s)(\*\*Example\.\*\*[^`]*(?:`[^`\n]+`[^`]*)*```text\n)(.*?)(```\n)"
"""Of a section: the words before the example, what was typed and printed, and its end."""
NOTES = ("SNN031", "SNN052")
"""Told in a note; the command goes on."""


def section(page: str, code: str) -> str:
    """The part of the page under a code's heading."""
    (found,) = re.findall(rf"(?ms)^## {code}: .*?(?=^## |\Z)", page)
    return str(found)


def run(command: str) -> int | str | None:
    """The exit code of a command line."""
    with pytest.raises(SystemExit) as caught:
        main(command.split())
    return caught.value.code


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For bundles that several examples begin with."""
    return tmp_path_factory.mktemp("kept")


def printed(
    code: str,
    folder: Path,
    capfd: pytest.CaptureFixture[str],
    patch: pytest.MonkeyPatch,
    kept: Path,
) -> str:
    """The command of a code's example, and what it says on stderr."""

    def succeeds(command: str) -> None:
        assert not run(command), capfd.readouterr().err

    patch.chdir(folder)
    command = EXAMPLES[code](Place(folder, succeeds, patch, kept))
    capfd.readouterr()
    found = run(command)
    said = capfd.readouterr().err
    assert (found or 0) == (0 if code in NOTES else 3 if code in BUGS else 2), said
    assert str(folder) not in said
    return f"$ snncc {command}\n{said}"


def test_every_code_has_an_example() -> None:
    assert EXAMPLES.keys() == CATALOG.keys()


@pytest.mark.parametrize("code", CATALOG)
def test_every_code_has_causes_and_remedies(code: str) -> None:
    text = section(PAGE.read_text(encoding="utf-8"), code)
    assert re.findall(r"^\*\*(\w+)\.\*\*", text, re.MULTILINE) == ["Cause", "Example", "Remedies"]
    assert re.search(r"^1\. ", text.partition("**Remedies.**")[2], re.MULTILINE)


@pytest.mark.parametrize("code", EXAMPLES)
def test_example(
    code: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    kept: Path,
    update_golden: bool,
) -> None:
    """What the page shows is what snncc prints; every diagnostic in it says what to try."""
    shown = printed(code, tmp_path, capfd, monkeypatch, kept)
    assert code in shown
    assert "Traceback" not in shown
    for diagnostic in re.split(r"(?m)^error ", shown)[1:]:
        assert "\n  try " in diagnostic
    page = PAGE.read_text(encoding="utf-8")
    text = section(page, code)
    if update_golden:
        new, count = re.subn(BLOCK, lambda m: m[1] + shown + m[3], text)
        assert count == 1
        PAGE.write_text(page.replace(text, new), encoding="utf-8")
        return
    (found,) = re.findall(BLOCK, text)
    assert found[1] == shown
