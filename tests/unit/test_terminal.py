"""What a person sees: help with examples, wrapped errors, colors, silence in pipes, completion."""

import json
import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest
from click.shell_completion import BashComplete

from snncc.cli.completion_command import SHELLS, VARIABLE, script
from snncc.cli.examples import EXAMPLES
from snncc.cli.main import COMMANDS, GROUPS, cli
from snncc_backends import RateSettings, options_of, targets
from tests.conftest import ROOT
from tests.e2e.models import mlp, samples
from tests.e2e.test_cli import Cli
from tests.e2e.test_cli import cli as run

__all__ = ["run"]

FAST = ("--set", "calibrate=off")
GOLDEN = ROOT / "tests" / "golden"
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
COLOR = re.compile(r"\x1b\[[0-9;]*(?:3[0-7]|4[0-7]|9[0-7])[0-9;]*m")


def in_terminal(*arguments: object, columns: int = 80, **more: str) -> str:
    """All that a command writes on a terminal of so many columns."""
    ours, theirs = pty.openpty()
    environment = {k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "FORCE_COLOR")}
    environment |= {"TERM": "xterm-256color", "COLUMNS": str(columns), **more}
    process = subprocess.Popen(
        [sys.executable, "-c", "from snncc.cli import main; main()", *map(str, arguments)],
        stdin=theirs, stdout=theirs, stderr=theirs, env=environment, cwd=ROOT,
    )  # fmt: skip
    os.close(theirs)
    found = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux says so that nobody writes any more
            break
        if not part:
            break
        found += part
    os.close(ours)
    process.wait()
    return found.decode().replace("\r\n", "\n")


def command_of(name: str) -> click.Command:
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    return found


DIFF = ("diff", GOLDEN / "mlp-if", GOLDEN / "mlp-signed-if")


def test_colors_on_a_terminal_and_none_where_they_are_not_wanted() -> None:
    colored = in_terminal(*DIFF)
    assert COLOR.search(colored)
    plain = in_terminal(*DIFF, NO_COLOR="1")
    assert not COLOR.search(plain)
    assert CONTROL.sub("", plain) == CONTROL.sub("", colored)
    assert max(map(len, CONTROL.sub("", plain).splitlines())) <= 80


def test_a_pipe_gets_no_control_codes(run: Cli, tmp_path: Path) -> None:
    model, data = mlp(tmp_path), samples(tmp_path / "d.npz", (4,))
    bundle = tmp_path / "b"
    for arguments in (
        (model, "--calib", data, *FAST, "--timings", "-v", "-o", bundle),
        ("run", bundle, "--data", data, "-v"),
        ("verify", bundle, "--model", model, "--data", data, "--exact", 2, "-v"),
        ("inspect", model, "-v"),
        ("targets", "c"),
    ):
        found = run(*arguments)
        assert "\x1b" not in found.out + found.err
        assert "\r" not in found.out + found.err


def test_errors_are_wrapped_with_a_hanging_indent() -> None:
    told = in_terminal("targets", "gpu", columns=50, NO_COLOR="1")
    lines = CONTROL.sub("", told).splitlines()
    assert lines[0].startswith("error SNN040: target 'gpu' is not known, ")
    assert max(map(len, lines)) <= 50
    assert all(re.match(r"error SNN040|      \S|   at |  try ", line) for line in lines)
    assert any(line.startswith("      ") for line in lines)


def test_quiet_and_verbose_mean_the_same_everywhere(run: Cli, tmp_path: Path) -> None:
    """Quiet: nothing but results. Verbose: all that is said without it, and more."""
    model, data = mlp(tmp_path), samples(tmp_path / "d.npz", (4,))
    bundle = tmp_path / "b"
    commands: dict[str, tuple[object, ...]] = {
        "compile": (model, "--calib", data, *FAST, "--force", "-o", bundle),
        "run": ("run", bundle, "--data", data),
        "verify": ("verify", bundle, "--model", model, "--data", data),
        "inspect": ("inspect", model),
    }
    said = {}
    for name, arguments in commands.items():
        quiet, usual, verbose = (run(*arguments, *more) for more in (("-q",), (), ("-v",)))
        assert quiet.err == ""
        assert len(quiet.out) <= len(usual.out) < len(verbose.out), name
        lines = {line.partition(";")[0] for line in usual.out.splitlines()}  # without hints
        assert lines <= {line.partition(";")[0] for line in verbose.out.splitlines()}, name
        said[name] = verbose.out
    assert re.search(r"steps +│ 32 +│ ", said["compile"])
    assert re.search(r"relu +│ 6 +│ if ", said["compile"])
    assert "normalize" in said["compile"].partition("seconds by stage")[2]
    assert "spikes a sample, by layer" in said["run"]
    assert "spikes a sample, by layer" in said["verify"]
    sir = GOLDEN / "mlp-if" / "network.sir"
    told = run("opt", sir, "-v")
    assert told.out == sir.read_text(encoding="utf-8")


def test_every_command_that_reports_can_be_quiet() -> None:
    results_only = {"targets", "disasm", "asm", "completion", "opt"}
    for name in set(COMMANDS) - results_only:
        options = {option for p in command_of(name).params for option in p.opts}
        assert "--quiet" in options, name


@pytest.mark.parametrize("name", COMMANDS)
def test_help_has_examples_that_are_right(name: str, run: Cli) -> None:
    """Each line of the examples is one that the command takes."""
    assert EXAMPLES[name]
    shown = run(name, "--help").out
    for line, what in EXAMPLES[name]:
        assert f"    {line}\n        {what}\n" in shown
        assert len(line) <= 76
        tool, *words = shlex.split(line.partition(" > ")[0])
        assert tool == "snncc"
        found, command, rest = cli.resolve_command(click.Context(cli), words)
        assert found == name
        assert command is not None
        command.make_context(name, list(rest))


def test_help_has_every_command_in_a_group(run: Cli) -> None:
    grouped = [name for names in GROUPS.values() for name in names]
    assert len(grouped) == len(set(grouped))
    assert set(COMMANDS) <= set(grouped)
    shown = run("--help").out
    for title, names in GROUPS.items():
        assert title in shown
        assert all(f"  {name} " in shown for name in names if name in COMMANDS)
    steps = re.findall(r"^    (snncc .*)$", shown, re.MULTILINE)
    assert len(steps) == 5


@pytest.fixture
def completed(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """What the Tab key offers for the last of some words."""
    monkeypatch.chdir(ROOT / "examples" / "digits")

    def offers(*words: str) -> list[str]:
        line = shlex.join(["snncc", *words[:-1]]) + f" {words[-1]}"
        monkeypatch.setenv("COMP_WORDS", line)
        monkeypatch.setenv("COMP_CWORD", str(len(words)))
        found = BashComplete(cli, {}, "snncc", VARIABLE).complete()
        return [each.partition(",")[2] for each in found.splitlines()]

    return offers


def test_completion_of_commands_and_models(completed: Callable[..., list[str]]) -> None:
    assert completed("ver") == ["verify"]
    assert completed("di") == ["diff", "disasm", "digits.onnx"]
    assert completed("targets", "") == list(targets())
    assert completed("digits.onnx", "--ste") == ["--steps"]


def test_completion_of_settings(completed: Callable[..., list[str]]) -> None:
    keys = {f"{each.name}=" for each in options_of(RateSettings)}
    assert set(completed("digits.onnx", "--coding", "rate", "--set", "")) == keys
    assert "chip=" in completed("digits.onnx", "--target", "loihi", "--set", "c")
    assert completed("digits.onnx", "--target", "c,t") == ["c,ttfs28"]
    assert completed("diff", "a", "b", "--ignore", "file,no") == ["file,note"]


@pytest.mark.parametrize("shell", SHELLS)
def test_completion_scripts(shell: str, run: Cli, tmp_path: Path) -> None:
    """The shell itself finds no fault, and bash completes with it."""
    text = run("completion", shell).out
    assert text == script(shell)
    assert "_SNNCC_COMPLETE" in text
    found = shutil.which(shell)
    if found is None:
        pytest.skip(f"{shell} is not here to read its script")
    path = tmp_path / "script"
    path.write_text(text, encoding="utf-8")
    subprocess.run([found, "-n", str(path)], check=True)
    if shell == "bash":
        (tmp_path / "snncc").write_text(
            f"#!/bin/sh\nexec {sys.executable} -c 'from snncc.cli import main; main()'\n"
        )
        (tmp_path / "snncc").chmod(0o755)
        told = subprocess.run(
            [found, "--norc", "-c", f"source {path}; COMP_WORDS=(snncc ver); COMP_CWORD=1; "
             "_snncc_completion snncc; echo ${COMPREPLY[@]}"],
            env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
            capture_output=True, text=True, check=True, cwd=ROOT,
        )  # fmt: skip
        assert told.stdout == "verify\n"


def test_progress_is_shown_on_a_terminal_only(tmp_path: Path) -> None:
    model, data = mlp(tmp_path), samples(tmp_path / "d.npz", (4,))
    shown = in_terminal(model, "--calib", data, *FAST, "-o", tmp_path / "a")
    assert "import" in CONTROL.sub("", shown).partition("value semantics")[0]
    told = in_terminal(model, "--calib", data, *FAST, "--json", "-o", tmp_path / "c")
    assert json.loads(told)["summary"]["populations"] == 2
    assert in_terminal("diff", tmp_path / "a", tmp_path / "c", "-q") == ""
