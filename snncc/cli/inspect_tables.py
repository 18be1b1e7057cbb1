"""The tables of `snncc inspect`, as wide as there is room for."""

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from snncc.cli import console
from snncc.inspection import Inspection, TargetLook
from snncc_backends import ABOUT, AT_LEAST, Figure
from snncc_ir import Diagnostic, Shape

WIDE, NARROW = 130, 100
"""Columns from which a table says all, and under which it is as short as can be."""
FEW = 3
"""Findings of a target that are shown beside those of others."""
SIGNS = {ABOUT: "about ", AT_LEAST: "at least "}
UNITS = (("G", 10**9), ("M", 10**6), ("k", 10**3))
FITS = {True: ("fits", "green"), False: ("does not fit", "bold red"), None: ("not known", "yellow")}


def populations_table(found: Inspection) -> Table:
    """A row for each population and max pool."""
    names = ["population", "kind", "shape", "neurons", "parameters", "MACs", "fan-in"]
    if not _narrow():
        names.append("fan-out")
    if _wide():
        names.append("made of")
    table = _table(names, ("population", "kind", "made of"))
    for layer in found.layers:
        cells: list[str | Text] = [
            Text(layer.name),
            Text(layer.kind),
            _shape(layer.shape),
            *map(number, (layer.neurons, layer.parameters, layer.macs, layer.fan_in)),
        ]
        if not _narrow():
            cells.append(number(layer.fan_out))
        if _wide():
            cells.append(Text(" ".join(layer.operators)))
        table.add_row(*cells)
    return table


def nodes_table(found: Inspection) -> Table:
    """A row for each node of the file; problems are in red, where there are some."""
    names = ["node", "operator", "shape", "parameters", "MACs", "becomes"]
    if _narrow():
        names.remove("parameters")
    table = _table(names, ("node", "operator", "becomes"))
    for node in found.nodes:
        becomes = Text(node.becomes)
        if node.problems:
            codes = dict.fromkeys(found.problems[i].code for i in node.problems)
            becomes = Text(f"error {', '.join(codes)}", "bold red")
        shape = "?" if node.shape is None else _shape(node.shape)
        counts = [number(node.parameters), number(node.macs)]
        table.add_row(
            Text(node.short), Text(node.operator), shape, *counts[int(_narrow()) :], becomes
        )
    return table


def show_targets(looks: Sequence[TargetLook], alone: bool) -> None:
    """What each target says; findings in full where one was asked for, or few."""
    table = _table(["target", "settings", "", "estimate"], ("target", "settings", "", "estimate"))
    for look in looks:
        word, style = FITS[look.fits]
        table.add_row(look.name, _settings(look), Text(word, style), _estimate(look))
    console.out.print(table)
    for look in looks:
        shown = look.findings if alone else look.findings[:FEW]
        for finding in shown:
            console.out.print(_finding(look.name, finding), soft_wrap=True)
        if len(shown) < len(look.findings):
            rest = len(look.findings) - len(shown)
            console.out.print(
                f"{look.name}: {rest} more; --target {look.name} has all", soft_wrap=True
            )


def figure(found: Figure) -> str:
    """Such as `working memory 17,728 bytes`."""
    text = f"{found.name} {SIGNS.get(found.bound, '')}{found.value:,.0f} {found.unit}".rstrip()
    return f"{text} ({found.how})" if found.how else text


def number(value: int) -> str:
    """With separators, or in narrow terminals as 37.0M; empty for none."""
    if not value:
        return "–"
    if _narrow() and value >= 10_000:
        unit, size = next((u, n) for u, n in UNITS if value >= n)
        return f"{value / size:.1f}{unit}"
    return f"{value:,}"


def _table(names: Sequence[str], left: Sequence[str]) -> Table:
    style = box.SIMPLE_HEAD if _narrow() else box.HEAVY_HEAD
    table = Table(box=style, pad_edge=not _narrow(), padding=(0, int(not _narrow())))
    for name in names:
        table.add_column(name, justify="left" if name in left else "right", overflow="fold")
    return table


def _narrow() -> bool:
    return console.out.width < NARROW


def _wide() -> bool:
    return console.out.width >= WIDE


def _shape(shape: Shape) -> str:
    return "×".join(map(str, shape)) or "scalar"


def _settings(look: TargetLook) -> str:
    settings = look.settings or {}
    parts = [look.coding]
    for key in ("chip", "machine", "neuron"):
        if settings.get(key) not in (None, look.name):
            parts.append(str(settings[key]))
    if "steps" in settings:
        parts.append(f"{settings['steps']} steps")
    return (",\n" if _narrow() else ", ").join(part for part in parts if part)


def _estimate(look: TargetLook) -> str:
    if look.findings:
        count = len(look.findings)
        return f"{count} finding{'s' if count > 1 else ''}, below"
    lines = [figure(each) for each in look.figures] or ["no estimate"]
    return "\n".join([*lines, *look.assumptions])


def _finding(target: str, finding: Diagnostic) -> Text:
    text = Text.assemble((f"{target} ", "bold"), (finding.code, "bold red"), ": ", finding.message)
    if finding.place:
        text.append("\n   at ", "cyan").append(finding.place)
    if finding.hint:
        text.append("\n  try ", "green").append(finding.hint)
    return text
