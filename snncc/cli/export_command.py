"""`snncc export BUNDLE --to TOOL -o FOLDER`."""

import shutil
import tempfile
from pathlib import Path

import click

from snncc.bundle import Bundle
from snncc_backends import backend
from snncc_ir import fail, why


@click.command("export", short_help="A bundle as input of another tool.")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.option("--to", "tool", required=True, help="The tool; targets say which they know.")
@click.option("-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder.")
def command(bundle: Path, tool: str, output: Path) -> None:
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
    write_folder(output, files)
    for name in files:
        click.echo(output / name)


def write_folder(place: Path, files: dict[str, bytes]) -> None:
    """All files, or none; raises SNN050."""
    try:
        unfinished = Path(tempfile.mkdtemp(prefix=f".{place.name}.", dir=place.parent))
    except OSError as error:
        raise fail(
            "SNN050",
            f"the folder cannot be written: {why(error)}",
            str(place),
            "a folder that you may write to, in one that is there; nothing was changed",
        ) from None
    try:
        for name, content in files.items():
            (unfinished / name).write_bytes(content)
        unfinished.chmod(0o755)
        unfinished.rename(place)
    except OSError as error:
        raise fail(
            "SNN050",
            f"the folder cannot be written: {why(error)}",
            str(place),
            "a folder that you may write to, in one that is there; nothing was changed",
        ) from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
