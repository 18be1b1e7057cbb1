"""Options that verify and report share: of what is compared with the oracle, and early exit."""

import click

from snncc.cli import exit_options
from snncc.cli.console import Command

EXACT_SAMPLES = 20

_exact_option = click.option(
    "--exact",
    is_flag=False,
    flag_value=EXACT_SAMPLES,
    default=0,
    type=click.IntRange(min=0),
    help=f"Compare every spike of N samples (default {EXACT_SAMPLES}) with the oracle.",
)


def check_options(command: Command) -> Command:
    """Gives a command `exact`, `margin`, `points` and `calib`."""
    for option in (
        exit_options.calibration_option,
        exit_options.points_option,
        exit_options.margin_option,
        _exact_option,
    ):
        command = option(command)
    return command
