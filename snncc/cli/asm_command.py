"""`snncc asm TEXT -o IMAGE`."""

from pathlib import Path

import click

from snncc.files import write_whole
from snncc.images import assemble


@click.command("asm", short_help="A chip's image from its text.")
@click.argument("text", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Image.")
def command(text: Path, output: Path) -> None:
    """Makes an image of TEXT, as `snncc disasm` prints it."""
    write_whole(output, assemble(text))
