"""Every command in the documentation runs, with snncc installed from its wheel.

`tests/docs/blocks.py` says how blocks are marked.
"""

import re
import shutil
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.docs.blocks import PAGES, RUNNABLE, Block, blocks_of, commands_of, expected, page_mark
from tests.docs.installed import Installed, install

DIGITS = ROOT / "examples" / "digits"
BLOCKS = {str(path.relative_to(ROOT)): blocks_of(path) for path in PAGES}
RUN = {page: blocks for page, blocks in BLOCKS.items() if any(b.runs for b in blocks)}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """One environment for all pages."""
    return install(tmp_path_factory.mktemp("wheel"))


def test_what_runs_is_the_wheel(installed: Installed, tmp_path: Path) -> None:
    """And none of the packages in the checkout."""
    code = (
        "import snncc, snncc_ir, snncc_backends, snncc_templates, snncc_c, snncc_loihi;"
        "print(*(m.__file__ for m in (snncc, snncc_ir, snncc_backends, snncc_templates, snncc_c,"
        " snncc_loihi)), sep='\\n')"
    )
    found = installed.run(f'python -c "{code}"', tmp_path)
    assert found.returncode == 0, found.stdout
    places = found.stdout.split()
    assert len(places) == 6
    assert all(Path(place).is_relative_to(installed.folder) for place in places), places
    assert installed.run("command -v snncc", tmp_path).stdout.strip() == str(
        installed.folder / "bin" / "snncc"
    )


def test_every_block_is_marked() -> None:
    """Whoever adds a command to a page says whether it is run, and why not."""
    unmarked = [
        f"{block.place} ({block.language})"
        for blocks in BLOCKS.values()
        for block in blocks
        if not block.mark
    ]
    assert not unmarked, "mark them as tests/docs/blocks.py says"
    for blocks in BLOCKS.values():
        for block in blocks:
            known = r"run|run where \w+ is installed|replaces \S+|not run: \S.{8,}|by tests/\S+\.py"
            assert re.fullmatch(known, block.mark), f"{block.place}: {block.mark}"
            if block.mark.startswith("by "):
                assert (ROOT / block.mark.removeprefix("by ")).is_file(), block.place
            if block.runs:
                assert block.language in RUNNABLE, block.place


def test_marks_are_of_blocks() -> None:
    """A mark in another place would say nothing."""
    for path in PAGES:
        text = path.read_text(encoding="utf-8")
        marks = len(re.findall(r"<!-- test: ", text))
        own = [b.mark for b in BLOCKS[str(path.relative_to(ROOT))] if b.mark != page_mark(text)]
        assert marks <= len(own) + text.count(f"<!-- test: {page_mark(text)} -->"), path
        assert len(re.findall(r"<!-- test page: ", text)) <= 1, path


@pytest.mark.parametrize("page", RUN)
def test_page(page: str, installed: Installed, tmp_path: Path) -> None:
    """The blocks of a page, one after the other, in a folder with the shipped example."""
    for file in DIGITS.iterdir():
        if file.is_file():
            shutil.copy(file, tmp_path)
    shutil.copy(DIGITS / "digits.onnx", tmp_path / "model.onnx")  # as pages call one's own
    for block in RUN[page]:
        if block.runs and block.language == "python":
            _python(block, installed, tmp_path)
        elif block.runs:
            _shell(block, installed, tmp_path)
        elif block.mark.startswith("replaces "):
            place = tmp_path / block.mark.removeprefix("replaces ")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(block.text, encoding="utf-8")


def _shell(block: Block, installed: Installed, folder: Path) -> None:
    commands = commands_of(block)
    assert commands, block.place
    for command in commands:
        found = installed.run(command.line, folder)
        said = f"{block.place}: {command.line}\n{found.stdout}"
        assert found.returncode == command.code, said
        assert "Traceback" not in found.stdout, said
        if command.printed is not None:
            assert expected(command.printed).match(found.stdout), f"{said}\n{command.printed}"


def _python(block: Block, installed: Installed, folder: Path) -> None:
    script = folder / f"block_{block.line}.py"
    script.write_text(block.text, encoding="utf-8")
    found = installed.run(f"python {script.name}", folder)
    assert found.returncode == 0, f"{block.place}\n{found.stdout}"
