"""Pages of the reference that are made from the code, and parts of pages.

    pytest --update-golden tests/docs/test_generated.py

writes them anew; the same tests fail when one is stale.
"""

import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import fields
from importlib.resources import files

import click

from snncc.cli.examples import EXAMPLES
from snncc.cli.main import COMMANDS, GROUPS, cli
from snncc.diff import KINDS
from snncc.passes.manager import promise_text
from snncc.passes.registry import passes
from snncc_backends import Backend, Settings, backend, options_of, targets
from snncc_ir.ops import MODELS, OPS

MADE = "Made from the code by `pytest --update-golden tests/docs/test_generated.py`."


def cli_page() -> str:
    """Every command with its options and examples."""
    lines = [
        "# Commands",
        "",
        MADE,
        "`snncc COMMAND --help` says the same. [What -q, -v, --json and colors",
        "mean](terminal.md) is the same everywhere; exit codes are 0 done, 1 a check failed, 2 the",
        "input is wrong, 3 a bug of snncc.",
        "",
        "<!-- test page: by tests/unit/test_terminal.py -->",
        "",
        "| command | what it does |",
        "|---|---|",
    ]
    names = [name for group in GROUPS.values() for name in group if name in COMMANDS]
    lines += [f"| [`{name}`](#snncc-{name}) | {_cell(COMMANDS[name])} |" for name in names]
    for name in names:
        lines += ["", *_command(name)]
    return "\n".join([*lines, ""])


def _command(name: str) -> Iterator[str]:
    command = cli.get_command(click.Context(cli), name)
    if command is None:
        raise ValueError(name)
    context = click.Context(command, info_name=f"snncc {name}")
    usage = command.get_usage(context).removeprefix("Usage: ")
    yield f"## snncc {name}"
    yield ""
    yield f"`{_cell(usage)}`"
    yield ""
    yield inspect.cleandoc(command.help or "")
    yield ""
    yield "| option | meaning |"
    yield "|---|---|"
    for parameter in command.params:
        record = parameter.get_help_record(context)
        if isinstance(parameter, click.Option) and record is not None:
            yield f"| `{_cell(record[0])}` | {_cell(record[1])} |"
    yield ""
    for line, what in EXAMPLES[name]:
        yield f"    {line}"
        yield f"        {what}"


def _cell(text: str) -> str:
    """In a table's cell, on one line."""
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()


def passes_page() -> str:
    """Every pass with its options and docstrings."""
    lines = [
        "# Passes",
        "",
        MADE,
        "[How it works](design.md#the-passes) tells them as a story; `snncc opt` runs them one by",
        "one, and [adding a pass](howto-pass.md) says how there can be one more. Stages: `lowered`",
        "(as imported), `normal` (populations only), `coded` (neurons have their dynamics),",
        "`integer` (all numbers are whole).",
        "",
    ]
    for name, declared in passes().items():
        step = declared()
        leaves = step.leaves or step.needs
        lines += [
            f"## {name}",
            "",
            f"`{step}`",
            "",
            f"Stage {step.needs.name} → {leaves.name}. Promise: {promise_text(step)}.",
            "",
            *_prose(inspect.getdoc(declared)),
            "",
            *_prose(sys.modules[declared.__module__].__doc__),
            "",
        ]
    return "\n".join([*lines, ""])


def _prose(text: str | None) -> list[str]:
    return (inspect.cleandoc(text or "")).splitlines()


def _text(text: str | None) -> list[str]:
    """A docstring as it stands, drawings and all."""
    return ["```text", *inspect.cleandoc(text or "").splitlines(), "```", ""]


def ir_page() -> str:
    """Ops, neuron models, and the grammar of the text form."""
    grammar = (files("snncc_ir") / "text.lark").read_text(encoding="utf-8")
    lines = [
        "# The IR",
        "",
        MADE,
        "A graph of few ops, immutable, in topological order. Each op says its equation; its",
        "attributes stand in braces in the text form, `.sir`. [How it works](design.md) has the",
        "rest: the normal form, value and spike semantics.",
        "",
        "## Ops",
    ]
    for name, op in OPS.items():
        lines += ["", f"### {name}", "", *_attributes(op), "", *_text(inspect.getdoc(op))]
    lines += ["## Neuron models", "", "The attribute `model` of `neuron` and `population`."]
    for name, model in MODELS.items():
        lines += ["", f"### {name}", "", *_attributes(model), "", *_text(inspect.getdoc(model))]
    lines += ["## Grammar of the text form", "", *_text(grammar)]
    return "\n".join(lines)


def _attributes(declared: type) -> list[str]:
    told = [f"`{each.name}`" for each in fields(declared) if each.init]
    return [f"Attributes: {', '.join(told)}." if told else "No attributes."]


def settings_page() -> str:
    """Every target: what can be set, its rules and limits."""
    lines = [
        "# Targets and their settings",
        "",
        MADE,
        "`snncc targets NAME` prints the same. An option is given as `--set KEY=VALUE`; the common",
        "ones have an option of their own (`--steps`, `--neuron`, `--weight-bits`).",
    ]
    for name in ("c", "ttfs28", "loihi", "nir"):
        if name not in targets():
            raise ValueError(name)
        lines += ["", *_target(backend(name))]
    return "\n".join([*lines, ""])


def _target(chip: Backend) -> Iterator[str]:
    yield f"## {chip.name}"
    yield ""
    yield f"{chip.summary[0].upper()}{chip.summary[1:]}. [More](targets/{chip.name}.md)."
    yield f"Neuron models: {', '.join(f'`{model}`' for model in chip.models)}."
    for title, told in (("Rules", chip.rules), ("Limits", chip.limits)):
        if told:
            yield ""
            yield f"{title}:"
            yield ""
            yield from (f"* {_cell(inspect.getdoc(each) or each.__name__)}" for each in told)
    for coding in chip.codings:
        yield ""
        yield f"### {chip.name}, coding {coding.coding}"
        yield ""
        yield from _options(chip.defaults(coding, {}))
        yield ""
        yield "Passes:"
        yield ""
        yield "```text"
        yield chip.pipeline(chip.defaults(coding, {})).replace(",", ", ").replace("}, ", "},\n")
        yield "```"


def _options(settings: Settings) -> Iterator[str]:
    yield "| option | default | takes | what it is |"
    yield "|---|---|---|---|"
    for each in options_of(type(settings)):
        default = str(getattr(settings, each.name)) or "–"
        yield (
            f"| `{each.name}` | {_cell(default)} | {_cell(each.wanted)} | "
            f"{_cell(each.option.help)} |"
        )


def kinds_of_change() -> str:
    """The part of docs/diff.md."""
    rows = [f"| `{kind}` | {what} |" for kind, what in KINDS.items()]
    return "\n".join(["| kind | a change of |", "|---|---|", *rows])
