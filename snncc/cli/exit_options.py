"""Options of early exit that commands share, and what is printed of it."""

from pathlib import Path

import click

from snncc.bundle import Bundle
from snncc.cli import console
from snncc.early_exit import AtExit, Choice
from snncc_ir import fail

margin_option = click.option(
    "--early-exit",
    "margin",
    type=float,
    metavar="MARGIN",
    help="A sample ends when its largest output is so far ahead of the second largest, added up "
    "over steps; 0: after all steps.  [default: as compiled]",
)
points_option = click.option(
    "--early-exit-loss",
    "points",
    type=float,
    metavar="POINTS",
    help="Chooses the margin on --calib, so that at most so many points of accuracy are lost.",
)
calibration_option = click.option(
    "--calib", type=click.Path(path_type=Path), help="Samples for --early-exit-loss, .npz."
)


def chosen(
    bundle: Bundle,
    margin: float | None,
    points: float | None,
    calib: Path | None,
    steps: int | None,
    quiet: bool,
) -> float | Choice | None:
    """What `Bundle.run` and `verify` take; raises SNN053 for options that contradict each other."""
    if points is None:
        if calib is not None:
            raise fail(
                "SNN053",
                "--calib is given, should be with --early-exit-loss",
                hint="--early-exit-loss 0.5, or leave --calib out",
            )
        return margin
    if margin is not None:
        raise fail(
            "SNN053",
            "--early-exit and --early-exit-loss are given, should be one of them",
            hint="--early-exit-loss alone: it chooses the margin",
        )
    if calib is None:
        raise fail(
            "SNN053",
            "--early-exit-loss is given without calibration data",
            hint="--calib FILE.npz, such as that which the bundle was compiled with",
        )
    dataset = bundle.dataset(calib)
    with console.progress(quiet) as report:
        progress = console.samples_done(report, "calibrate", dataset.count)
        return bundle.choose_early_exit(dataset, points, steps, progress)


def show(found: AtExit, quiet: bool) -> None:
    """Figures of samples that end early."""
    choice = found.choice
    if choice is not None and choice.note and not quiet:
        console.note(choice.note)
    console.out.print(
        f"early exit at margin {found.margin:.6g} ({found.units} in the C program): "
        f"{found.mean_steps:.2f} steps on average, {found.late_steps} for 95 % of samples"
    )
    shares = {
        "accuracy": found.accuracy,
        "agreement": found.agreement,
        "same as all steps": found.same,
    }
    texts = [f"{what} {100 * s.value:.2f} %" for what, s in shares.items() if s is not None]
    texts.append(f"{found.spikes:.0f} spikes a sample")
    if found.synaptic_operations is not None:
        texts.append(f"{found.synaptic_operations:.0f} synaptic operations")
    console.out.print(f"  {', '.join(texts)}")
    if choice is not None:
        console.out.print(
            f"  chosen on {choice.samples} samples like which at most {100 * choice.bound:.2f} % "
            f"change their class (95 % confidence), {choice.points:g} % were allowed"
        )
    if found.difference:
        console.out.print(f"  NOT exact: {found.difference}")
