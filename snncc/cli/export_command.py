"""`snncc export BUNDLE --to TOOL -o FOLDER`."""

from pathlib import Path

import click

from snncc.bundle import Bundle
from snncc.cli import completions, console
from snncc_backends import backend, write_folder
from snncc_ir import fail


@click.command("export", short_help="A bundle as input of another tool.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option(
    "--to",
    "tool",
    required=True,
    shell_complete=completions.one_of("sanafe"),
    help="The tool; targets say which they know.",
)
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder.")
@console.quiet_option
def command(bundle: Path, tool: str, output: Path, quiet: bool) -> None:
    """Writes what another tool needs to run BUNDLE into a new folder.

    Bundles of target loihi go to sanafe.
    """
    loaded = Bundle.load(bundle)
    target = loaded.files.text("target")
    known = backend(target).exports
    if tool not in known:
        raise fail(
            "SNN042",
            f"target {target} exports to {' or '.join(known) or 'no other tool'}, not to '{tool}'",
            str(bundle),
            f"--to {next(iter(known))}" if known else "a bundle of target loihi: --to sanafe",
        )
    if output.exists():
        raise fail("SNN050", "the output is there already", str(output), "another folder with -o")
    files = known[tool](loaded.folder)
    write_folder(output, files, "the folder")
    for name in () if quiet else files:
        click.echo(output / name)
