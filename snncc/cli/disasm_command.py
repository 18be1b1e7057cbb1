"""`snncc disasm IMAGE`."""

from pathlib import Path

import click

from snncc.files import write_whole
from snncc.images import find_image


@click.command("disasm", short_help="A chip's image as text.")
@click.argument("image", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="File; else the screen.")
def command(image: Path, output: Path | None) -> None:
    """Prints IMAGE (a file, or a bundle that has one) as text, which `snncc asm` reads back."""
    known, content, place = find_image(image)
    text = known.disassemble(content, place)
    if output is None:
        click.echo(text, nl=False)
    else:
        write_whole(output, text.encode())
