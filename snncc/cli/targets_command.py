"""`snncc targets [NAME]`."""

import inspect

import click
from rich.table import Table

from snncc.cli import completions, console
from snncc_backends import Described, Settings, backend, options_of, targets
from snncc_ir import SnnccError


@click.command("targets", short_help="The chips, and their rules.")
@click.argument("name", required=False, shell_complete=completions.targets)
@console.json_option
def command(name: str | None, as_json: bool) -> None:
    """Lists the targets; with NAME, what that chip takes: options, rules, limits and passes."""
    if name is not None:
        _one(name, as_json)
        return
    rows: list[tuple[str, str]] = []
    for target, load in targets().items():
        try:
            rows.append((target, load().summary))
        except SnnccError as error:
            rows.append((target, f"broken: {error.diagnostics[0].message}"))
    if as_json:
        console.print_json([{"name": target, "summary": summary} for target, summary in rows])
        return
    table = Table()
    table.add_column("target")
    table.add_column("what it is")
    for row in rows:
        table.add_row(*row)
    console.out.print(table)
    console.out.print("`snncc targets NAME` has a target's options, rules, limits and passes")


def _one(name: str, as_json: bool) -> None:
    chip = backend(name)
    rules = [inspect.getdoc(rule) or rule.__name__ for rule in chip.rules]
    limits = [inspect.getdoc(limit) or limit.__name__ for limit in chip.limits]
    codings = {c.coding: chip.defaults(c, {}) for c in chip.codings}
    figures = {
        "name": chip.name,
        "summary": chip.summary,
        "models": chip.models,
        "rules": rules,
        "limits": limits,
        "codings": {
            coding: {
                "settings": settings.as_json(),
                "options": [_described(each, settings) for each in options_of(type(settings))],
                "pipeline": chip.pipeline(settings),
            }
            for coding, settings in codings.items()
        },
    }
    if as_json:
        console.print_json(figures)
        return
    console.out.print(f"{chip.name}: {chip.summary}")
    console.out.print(f"neuron models: {', '.join(chip.models)}")
    for rule in rules:
        console.out.print(f"rule: {rule}", markup=False)
    for limit in limits:
        console.out.print(f"limit: {limit}", markup=False)
    for coding, settings in codings.items():
        table = Table(title=f"coding {coding}: --set KEY=VALUE", title_justify="left")
        table.add_column("option")
        table.add_column("default")
        table.add_column("takes", overflow="fold")
        table.add_column("what it is", overflow="fold")
        for each in options_of(type(settings)):
            default = getattr(settings, each.name)
            table.add_row(each.name, str(default), each.wanted, each.option.help)
        console.out.print(table)
        console.out.print(f"passes: {console.passes_text(chip.pipeline(settings))}", markup=False)


def _described(option: Described, settings: Settings) -> dict[str, object]:
    """For --json."""
    return {
        "name": option.name,
        "type": option.kind.__name__,
        "default": getattr(settings, option.name),
        "least": option.option.least,
        "most": option.option.most,
        "choices": option.option.choices,
        "help": option.option.help,
    }
