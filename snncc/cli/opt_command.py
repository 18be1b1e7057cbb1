"""`snncc opt IN.sir --passes …`."""

from pathlib import Path

import click
from rich.table import Table

from snncc.cli import completions, console
from snncc.cli.waterfall_table import waterfall_table
from snncc.data import read_dataset, samples_for, synthetic_samples
from snncc.files import write_whole
from snncc.passes.base import Context
from snncc.passes.manager import promise_text, run_pipeline
from snncc.passes.registry import parse_pipeline, passes
from snncc_backends import Preprocessing
from snncc_ir import fail, print_graph, read_graph, tensor_bytes


@click.command("opt", short_help="Run passes on an IR file.")
@click.argument("source", type=click.Path(path_type=Path), required=False)
@click.option(
    "--passes",
    "pipeline",
    default="",
    shell_complete=completions.pass_names,
    help="Such as fuse,rate-code{steps=8}.",
)
@click.option("--calib", type=click.Path(path_type=Path), help="Samples of the network's numbers.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help=".sir file.  [stdout]")
@click.option("--dump-ir", type=click.Path(path_type=Path), help="Folder for the IR of each pass.")
@console.verbose_option
@click.option("--list", "listing", is_flag=True, help="List the passes and stop.")
def command(
    source: Path | None,
    pipeline: str,
    calib: Path | None,
    output: Path | None,
    dump_ir: Path | None,
    verbose: bool,
    listing: bool,
) -> None:
    """Runs passes on SOURCE (.sir, tensors beside it) and prints the result."""
    if listing:
        _list()
        return
    if source is None:
        raise fail("SNN020", "there is no IR file", hint="snncc opt IN.sir --passes fuse")
    graph = read_graph(source)
    samples = (
        synthetic_samples(graph)
        if calib is None
        else samples_for(graph, read_dataset(calib), Preprocessing())
    )
    steps = parse_pipeline(pipeline)
    compiled = run_pipeline(graph, steps, Context(samples), dump=dump_ir, measure=bool(steps))
    result = compiled.graph
    if verbose:
        # the IR itself may be what stands on stdout
        console.err.print(waterfall_table(compiled.waterfall, "value semantics, pass by pass"))
    if output is None:
        click.echo(print_graph(result), nl=False)
    else:
        write_whole(output.with_suffix(".safetensors"), tensor_bytes(result))
        write_whole(output, print_graph(result).encode())


def _list() -> None:
    table = Table()
    for heading in ("pass with its options' defaults", "needs", "leaves", "promise"):
        table.add_column(heading, overflow="fold")
    for declared in passes().values():
        step = declared()
        leaves = step.leaves or step.needs
        table.add_row(
            console.passes_text(str(step)), step.needs.name, leaves.name, promise_text(step)
        )
    console.out.print(table)
