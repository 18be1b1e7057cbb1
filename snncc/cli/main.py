"""The entry point: dispatch, and errors as a person should see them.

Exit codes: 0 done, 1 a check failed, 2 the user's input is wrong, 3 a bug of ours.
"""

import sys
import traceback
import warnings
from collections.abc import Mapping
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from snncc.cli.console import show_error
from snncc.cli.examples import epilog
from snncc_ir import SnnccError, fail, why

COMMANDS = {
    "compile": "compile a model (the default: `snncc MODEL.onnx …`)",
    "run": "run samples through a bundle",
    "sweep": "accuracy, latency and energy of many settings",
    "verify": "compare a bundle with its model, and with the oracle",
    "explain": "where accuracy is lost, why, and what helps",
    "report": "a page with all figures and pictures of a bundle",
    "inspect": "what a model becomes, before anyone waits",
    "targets": "the chips, and their rules",
    "opt": "run passes on an IR file",
    "diff": "what differs between two bundles, IR files or images",
    "disasm": "a chip's image as text",
    "asm": "a chip's image from its text",
    "export": "a bundle as input of another tool",
    "new-backend": "a package for a chip of your own",
    "completion": "completion by Tab, for bash, zsh and fish",
}

GROUPS: Mapping[str, tuple[str, ...]] = {
    "Compile, and use what comes out": ("compile", "run", "verify"),
    "Before: what fits, what to choose": ("inspect", "targets", "sweep"),
    "After: what happened, what changed": ("explain", "report", "diff"),
    "A chip's files": ("disasm", "asm", "export"),
    "For those who extend snncc": ("opt", "new-backend"),
    "This program": ("completion",),
}
"""The commands as `snncc --help` shows them."""

BUGS = ("SNN021",)
"""Codes of diagnostics that are a fault of snncc, and not of what it was given."""


WIDEST = max(map(len, COMMANDS))


class _Commands(click.Group):
    """Sub-commands by name; anything else is a model to compile."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        # imported on use, so that `snncc --help` answers at once
        command = import_module(f"snncc.cli.{name.replace('-', '_')}_command").command
        if not isinstance(command, click.Command):
            return None
        command.epilog = "\n\n".join(filter(None, (epilog(name), _EXPLAINED)))
        return command

    def shell_complete(self, context: click.Context, incomplete: str) -> list[CompletionItem]:
        # the first word is a command, or the model
        from snncc.cli.completions import models  # numpy and more, which --help can do without

        return [*super().shell_complete(context, incomplete), *models(incomplete)]

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS:
            close = get_close_matches(args[0], COMMANDS, 1)
            if close and not Path(args[0]).exists():
                raise click.UsageError(
                    f"'{args[0]}' is neither a command nor a model; did you mean '{close[0]}'?",
                    context,
                )
            return super().resolve_command(context, ["compile", *args])
        return super().resolve_command(context, args)

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        # `snncc --target c model.onnx` means compile, too
        own = ("--help", "-h", "--version")
        if args and args[0].startswith("-") and args[0] not in own:
            args = ["compile", *args]
        return super().parse_args(context, args)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        for title, names in GROUPS.items():
            rows = [(f"{name:<{WIDEST}}", COMMANDS[name]) for name in names if name in COMMANDS]
            with formatter.section(title):
                formatter.write_dl(rows)


_EXPLAINED = "docs/diagnostics.md explains each error (SNN0xx): causes, an example, remedies."
_EPILOG = f"""\b
In five steps, from a model to a chip:
  snncc inspect model.onnx
      what becomes of it, and which targets it fits
  snncc model.onnx --target c --calib calib.npz -o bundle/
      compiles it
  snncc verify bundle/ --model model.onnx --data test.npz --exact
      compares it with the model, and every spike with the oracle
  snncc run bundle/ --data test.npz
      uses it
  snncc diff golden/ bundle/
      says what became different

`snncc COMMAND --help` has a command's options and examples of it. Data files are .npz with samples
`x` and, for accuracy, classes `y`. --json gives machines the same figures; -q says less, -v all
there is; NO_COLOR turns colors off.

{_EXPLAINED}
Exit codes: 0 done, 1 a check failed, 2 the input is wrong, 3 a bug of snncc.
"""


@click.group(
    cls=_Commands,
    invoke_without_command=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_EPILOG,
)
@click.version_option(package_name="snncc", message="%(prog)s %(version)s")
def cli() -> None:
    """Compiles a trained network (ONNX) into everything that a spiking chip needs to run it.

    \b
    snncc MODEL.onnx --target T [--calib DATA.npz] [--steps N] -o BUNDLE/
    """


def main(arguments: list[str] | None = None) -> None:
    """Runs the command line and exits with its code."""
    try:
        with warnings.catch_warnings():
            # numbers that overflow are refused by the checks behind; numpy's own words say no more
            warnings.simplefilter("ignore", RuntimeWarning)
            code = cli.main(args=arguments, prog_name="snncc", standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except SnnccError as error:
        show_error(error)
        sys.exit(3 if any(found.code in BUGS for found in error.diagnostics) else 2)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(0)
    except KeyboardInterrupt:
        sys.exit(130)
    except MemoryError:
        click.echo("Error: there is not enough memory; try fewer samples at a time", err=True)
        sys.exit(2)
    except OSError as error:
        # what no command has caught, such as a temporary folder that is full
        place = "" if error.filename is None else str(error.filename)
        message = f"a file cannot be read or written: {why(error)}"
        hint = "look at its permissions, and at the space that is left"
        show_error(fail("SNN050", message, place, hint))
        sys.exit(2)
    except Exception:
        traceback.print_exc()
        click.echo("this is a bug of snncc; please report it with the lines above", err=True)
        sys.exit(3)
    sys.exit(code if isinstance(code, int) else 0)
