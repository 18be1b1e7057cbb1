"""Code blocks of the documentation, and what each is marked as.

A comment in the line before a block says what is to be done with it:

    <!-- test: run -->                 run it, in the page's folder, after the blocks before it
    <!-- test: run where X is installed -->     so it is where the Python module X is
    <!-- test: not run: REASON -->     shown only
    <!-- test: replaces FILE -->       written to a file of the page's folder

and one comment anywhere on a page can say it for all that is not marked by itself:

    <!-- test page: not run: REASON -->
    <!-- test page: by tests/unit/test_x.py -->     whose tests run them

Blocks `sh` are commands, each of which has to end with 0. Blocks `console` have commands after `$ `
and what they print; `…` alone in a line stands for any lines, within one for any text; `[N]` is the
exit code. Blocks `python` are run as a whole. What is indented and begins with a command counts as
a block, too.
"""

import re
import textwrap
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from tests.conftest import ROOT

PAGES = sorted(
    [
        ROOT / "README.md",
        *(ROOT / "docs").rglob("*.md"),
        *(path for path in (ROOT / "examples").rglob("*.md") if ".venv" not in path.parts),
    ]
)
RUNNABLE = ("sh", "console", "python", "bash")
TOOLS = ("snncc", "pip", "python", "python3", "pytest", "make", "mkdocs")
"""First words of indented lines that are commands."""

_MARK = re.compile(r"<!-- test: (?P<mark>.*?) -->")
_PAGE = re.compile(r"<!-- test page: (?P<mark>.*?) -->")
_FENCE = re.compile(
    r"(?P<before>[^\n]*)\n(?P<indent> *)```(?P<language>\w*)[^\n]*\n(?P<text>.*?)^ *```$",
    re.DOTALL | re.MULTILINE,
)
_INDENTED = re.compile(rf"^    (?:\$ )?(?:{'|'.join(TOOLS)}) .*$", re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """language: of the fence; `indented` for what has none. mark: empty where there is none."""

    page: str
    line: int
    language: str
    text: str
    mark: str

    @property
    def runs(self) -> bool:
        """Whether it is to be run, and can be here."""
        if needed := re.fullmatch(r"run where (\w+) is installed", self.mark):
            return find_spec(needed[1]) is not None
        return self.mark == "run"

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


@dataclass(frozen=True)
class Command:
    """One command of a block. printed: what it should print; None where nothing is said."""

    line: str
    code: int
    printed: str | None


def page_mark(text: str) -> str:
    """What is said of all blocks of a page; empty where nothing is."""
    found = _PAGE.search(text)
    return found["mark"] if found else ""


def blocks_of(path: Path) -> list[Block]:
    """All blocks of a page that could be run, in order."""
    text, page = path.read_text(encoding="utf-8"), str(path.relative_to(ROOT))
    whole = page_mark(text)
    found = []
    for match in _FENCE.finditer("\n" + text):
        mark = _MARK.search(match["before"])
        if mark or match["language"] in RUNNABLE or match["text"].lstrip().startswith("$ "):
            found.append(
                Block(
                    page,
                    text.count("\n", 0, match.start("text") - 1),
                    match["language"],
                    textwrap.dedent(match["text"]),
                    mark["mark"] if mark else whole,
                )
            )
    # lines that fences hold are replaced, so that numbers of lines stay
    outside = _FENCE.sub(lambda m: "\n" * m[0].count("\n"), "\n" + text)[1:]
    for match in _INDENTED.finditer(outside):
        line = outside.count("\n", 0, match.start()) + 1
        found.append(Block(page, line, "indented", match[0].strip(), whole))
    return found


def commands_of(block: Block) -> list[Command]:
    """The commands of a block `sh` or `console`."""
    joined = block.text.replace("\\\n", " ")
    if block.language in ("sh", "bash"):
        lines = (line.partition(" #")[0].strip() for line in joined.splitlines())
        return [Command(line, 0, None) for line in lines if line]
    found = []
    for part in re.split(r"^\$ ", joined, flags=re.MULTILINE)[1:]:
        line, _, printed = part.partition("\n")
        ended = re.search(r"^\[(\d+)\]\n?\Z", printed, re.MULTILINE)
        if ended:
            printed = printed[: ended.start()]
        found.append(Command(line.strip(), int(ended[1]) if ended else 0, printed.rstrip()))
    return found


def expected(printed: str) -> re.Pattern[str]:
    """What matches the output that a page shows; spaces at ends of lines do not count."""
    lines = []
    for line in printed.splitlines():
        if line.strip() == "…":
            lines.append(r"(?:[^\n]*\n)*?")
        else:
            lines.append(".*?".join(map(re.escape, line.rstrip().split("…"))) + r" *\n")
    return re.compile("".join(lines) + r"\Z")
