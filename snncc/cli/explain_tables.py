"""The tables of `snncc explain`: the waterfall, the layers, what was tried."""

from rich.table import Table

from snncc.cli import console
from snncc.explain import Explanation, LayerFigures
from snncc.verify import AtSteps
from snncc.words import decibels, percent

WORST = 5
"""Layers that are shown unless all are asked for."""


def show_steps(found: Explanation) -> None:
    """From float to the chip: accuracy after each step, and the layer that it hits most."""
    verification = found.verification
    table = Table(title="where accuracy goes, step by step", title_justify="left")
    table.add_column("after", overflow="fold")
    for heading in ("accuracy", "agreement", "SNR dB"):
        table.add_column(heading, justify="right")
    table.add_column("hits most")
    whole = verification.float_accuracy
    table.add_row(
        f"float (onnxruntime), {verification.samples} samples",
        percent(None if whole is None else whole.value),
        "",
        "",
        "",
    )
    if found.steps:
        table.add_section()
    for step in found.steps:
        if step.promise != "lossy" and step.snr is None:
            continue  # nothing but its own name to show
        table.add_row(
            step.step.partition("{")[0],
            percent(step.accuracy),
            percent(step.agreement),
            decibels(step.snr),
            f"{step.worst} ({decibels(step.layers[step.worst])} dB)" if step.worst else "",
        )
    table.add_section()
    closed = verification.closed_form
    if found.layers.rows and found.layers.rows[0].code == "rate":
        table.add_row(f"closed form, {closed.steps} steps", *_at(closed))
    table.add_row(f"on the chip, {verification.last.steps} steps", *_at(verification.last))
    if found.steps:
        few = found.layers.samples
        table.caption = f"passes: value semantics, the first {few} samples; the rest: all samples"
        table.caption_justify = "left"
    console.out.print(table)


def _at(row: AtSteps) -> tuple[str, str, str, str]:
    accuracy, agreement = row.accuracy, row.agreement
    return (
        percent(None if accuracy is None else accuracy.value),
        percent(None if agreement is None else agreement.value),
        decibels(row.snr),
        "",
    )


def show_layers(found: Explanation, every: bool) -> None:
    """The worst layers with their reasons, or all layers in order."""
    rows = found.layers.rows if every else found.worst[:WORST]
    if not rows:
        console.out.print("no layer loses anything worth a word")
        return
    title = "all layers" if every else "the layers that lose most"
    table = Table(title=f"{title}, {found.layers.samples} samples", title_justify="left")
    table.add_column("layer", overflow="fold")
    for heading in ("neurons", "SNR dB", "own dB", "dead", "saturated", "agreement"):
        table.add_column(heading, justify="right")
    table.add_column("why it loses what it loses itself", overflow="fold", ratio=1)
    for row in rows:
        table.add_row(
            _named(row),
            str(row.neurons),
            decibels(row.snr),
            decibels(row.snr_own),
            str(row.dead),
            str(row.saturated),
            percent(row.agreement),
            f"{row.finding.cause}: {row.reason}" if row.finding.cause != "none" else row.reason,
        )
    table.caption = (
        "SNR: of what it sends; own: of what it adds itself, given what arrives; agreement: of the "
        "float network that is fed with the chip's numbers from here"
    )
    table.caption_justify = "left"
    console.out.print(table)


def _named(row: LayerFigures) -> str:
    return f"{row.name}\n{row.origin}" if row.origin else row.name


def show_tried(found: Explanation) -> None:
    """What was tried, what helps first."""
    if not found.tried:
        return
    console.out.print("tried:", style="bold")
    others = [tried for tried in found.tried if tried.verdict != "helps"]
    for tried in (*found.helps, *others):
        color = {"helps": "green", "worse": "red"}.get(tried.verdict, "")
        console.out.print(f"  against {tried.remedy.cause}: {tried}", style=color, markup=False)
    if not found.helps:
        console.out.print("  nothing that was tried helps as far as these samples can show")
