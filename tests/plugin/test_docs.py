"""docs/backends.md: tables come from the code, and the tutorial does what it says.

    pytest --update-golden tests/plugin/test_docs.py

renews the tables.
"""

import ast
import inspect
import re
import shlex
import shutil
import tomllib
from pathlib import Path

import pytest

import snncc_backends
from snncc.scaffold import package
from snncc_backends import INTERFACE
from tests.conftest import ROOT
from tests.e2e.test_cli import Cli
from tests.plugin.installed import installed

PAGE = ROOT / "docs" / "backends.md"
PROJECT = "snncc-my-chip"
CLASSES = (
    "Backend", "Settings", "Option", "Runner", "Execution", "Estimate", "Preview", "Figure",
    "Section", "Column", "ImageFormat", "EarlyExit", "Preprocessing",
)  # fmt: skip


def table(name: str) -> str:
    """What a class says of itself, and each of its public members, in the order of the source."""
    kind = getattr(snncc_backends, name)
    (tree,) = ast.parse(inspect.getsource(kind)).body
    assert isinstance(tree, ast.ClassDef)
    about, told = _fields(" ".join((inspect.getdoc(kind) or "").split()))
    rows = []
    for index, part in enumerate(tree.body):
        after = tree.body[index + 1] if index + 1 < len(tree.body) else None
        match part:
            case ast.AnnAssign(target=ast.Name(id=member)):
                option = _option(part.annotation)
                kind_of = ast.unparse(part.annotation) if option is None else option[0]
                text = _string(after) if option is None else option[1]
                given = "" if part.value is None else f" = {ast.unparse(part.value)}"
                shown = f"{member}: {kind_of}{given}"
            case ast.FunctionDef(name=member):
                text = ast.get_docstring(part) or ""
                arguments = [each.arg for each in part.args.args if each.arg != "self"]
                marks = {ast.unparse(each) for each in part.decorator_list}
                shown = f"{member}({', '.join(arguments)})"
                shown = member if "property" in marks else shown
                text += " **To be written.**" if "abstractmethod" in marks else ""
            case _:
                continue
        if not member.startswith("_"):
            rows.append(f"| `{_escaped(shown)}` | {_line(text or told.get(member, ''))} |")
    return "\n".join(
        [*([_line(about), ""] if about else []), "| member | what it is |", "|---|---|", *rows]
    )


def _option(annotation: ast.expr) -> tuple[str, str] | None:
    """Type and help in `Annotated[type, Option(help)]`."""
    match annotation:
        case ast.Subscript(
            value=ast.Name(id="Annotated"),
            slice=ast.Tuple(elts=[kind, ast.Call(args=[ast.Constant(value=str() as text)])]),
        ):
            return ast.unparse(kind), text
    return None


def _fields(text: str) -> tuple[str, dict[str, str]]:
    """A docstring's sentences before its fields, and what it says of each (`one, two: text.`)."""
    about, *parts = re.split(r"(?:^|(?<=[.;]) )((?:\w+(?:, | and ))*[a-z_]+): ", text)
    told: dict[str, str] = {}
    for names, said in zip(parts[::2], parts[1::2], strict=True):
        told |= dict.fromkeys(re.split(r", | and ", names), said.rstrip(".;"))
    return about, told


def _string(node: ast.stmt | None) -> str:
    """The docstring of an attribute, which stands behind it."""
    match node:
        case ast.Expr(value=ast.Constant(value=str() as text)):
            return text
    return ""


def _line(text: str) -> str:
    return _escaped(" ".join(text.split()))


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace(", *shape", ", \\*shape")


def others() -> str:
    """Public names that have no section."""
    rows = ["| name | what it is |", "|---|---|"]
    for name in snncc_backends.__all__:
        value = getattr(snncc_backends, name)
        if name in CLASSES or not (inspect.isfunction(value) or inspect.isclass(value)):
            continue
        about = (inspect.getdoc(value) or "").split("\n\n")[0]
        rows.append(f"| `{name}` | {_line(about)} |")
    return "\n".join(rows)


def page(text: str) -> str:
    """The page with its tables renewed."""
    made = {name: table(name) for name in CLASSES}
    made["others"] = others()
    made["interface"] = f"This snncc has interface {INTERFACE[0]}.{INTERFACE[1]}."
    for name, content in made.items():
        pattern = rf"<!-- {name} -->\n(?:.*?<!-- end -->\n)?"
        new = f"<!-- {name} -->\n{content}\n<!-- end -->\n"
        assert len(re.findall(rf"<!-- {name} -->", text)) == 1, name
        if f"<!-- {name} -->\n\n" in f"{text}\n":  # new, and still empty
            pattern = rf"<!-- {name} -->\n"
        start, end = next(re.finditer(pattern, text, re.DOTALL)).span()
        text = text[:start] + new + text[end:]
    return text


def test_reference(update_golden: bool) -> None:
    text = PAGE.read_text(encoding="utf-8")
    if update_golden:
        PAGE.write_text(page(text), encoding="utf-8")
        text = PAGE.read_text(encoding="utf-8")
    assert text == page(text)
    assert "|  |" not in text, "a public member says nothing of itself"


def test_every_member_says_when_it_is_called() -> None:
    text = PAGE.read_text(encoding="utf-8")
    calls = text[text.index("When each is called") : text.index("### Rule")]
    told = re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.*?) \|", calls, re.MULTILINE)))
    (tree,) = ast.parse(inspect.getsource(snncc_backends.Backend)).body
    assert isinstance(tree, ast.ClassDef)
    assert set(told) == {
        part.name if isinstance(part, ast.FunctionDef) else ast.unparse(part.target)
        for part in tree.body
        if isinstance(part, ast.FunctionDef | ast.AnnAssign)
    }


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE.read_text("utf-8"), re.S | re.M)


def _shown(line: str) -> str:
    """Without numbers of spikes, which another onnxruntime may change a little."""
    return re.sub(r"\d{4,} spikes", "… spikes", line.rstrip())


def check(block: str, cli: Cli) -> None:
    """Runs each command of a block, and looks for the lines below it; `…` stands for others."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        command, *expected = part.splitlines()
        tool, *arguments = shlex.split(command)
        assert tool == "snncc"
        found = cli(*arguments, code=2 if any(e.startswith("error ") for e in expected) else 0)
        lines = {_shown(line) for line in (found.out + found.err).splitlines()}
        assert {_shown(line) for line in expected} <= lines | {"…"}


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Cli:
    return Cli(capfd)


def test_tutorial(cli: Cli, tmp_path: Path, digits: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for file in ("digits.onnx", "calib.npz", "test.npz"):
        shutil.copy(digits / file, tmp_path / file)
    written, *before, after = blocks("text")
    check(written, cli)
    place = tmp_path / PROJECT
    with installed(place, tmp_path / "site"):
        for block in before:
            check(block, cli)
    rules = place / "snncc_my_chip" / "rules.py"
    source = rules.read_text(encoding="utf-8")
    (added,) = [block for block in blocks("python") if "RULES" in block]
    old, new = (
        "from snncc_backends import Settings",
        "from snncc_backends import Settings, synapses",
    )
    assert old in source
    assert new in PAGE.read_text(encoding="utf-8")
    rules.write_text(source.replace(old, new) + "\n\n" + added, encoding="utf-8")
    with installed(place, tmp_path / "other-site"):
        check(after, cli)


def test_what_the_tutorial_shows_of_the_package() -> None:
    (points,) = blocks("toml")
    project = tomllib.loads(package("my_chip")["pyproject.toml"].decode())["project"]
    assert tomllib.loads(points)["project"]["entry-points"] == project["entry-points"]
