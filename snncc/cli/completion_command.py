"""`snncc completion SHELL`."""

import click
from click.shell_completion import ShellComplete, get_completion_class

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_SNNCC_COMPLETE"

_ADDED = "COMPREPLY+=($value)"
_NO_SPACE = f'{_ADDED}\n            [[ "$value" == *= ]] && compopt -o nospace'
"""After `--set steps=` there is a value to come."""


@click.command("completion", short_help="Completion of commands, options and settings by Tab.")
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Prints the script that teaches SHELL to complete snncc by Tab.

    Commands, options, targets, models, the keys of --set and the values that options take.
    """
    click.echo(script(shell), nl=False)


def script(shell: str) -> str:
    """The script of one of `SHELLS`."""
    found = get_completion_class(shell)
    if found is None:
        raise ValueError(f"{shell} is none of {', '.join(SHELLS)}")
    made = found(click.Group(), {}, "snncc", VARIABLE)
    # of the base, since bash's own also asks the bash of this machine for its version
    text = ShellComplete.source(made)
    return text.replace(_ADDED, _NO_SPACE) if shell == "bash" else text
