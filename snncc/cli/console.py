"""What every command shares: progress, tables, JSON, errors, preprocessing options."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from snncc_backends import Estimate, EventWindow, Preprocessing
from snncc_ir import SnnccError, fail

Report = Callable[[str, int, int], None]
Command = Callable[..., None]

PIPED_WIDTH = 160
"""Columns of a table that no terminal shows."""

out = Console(highlight=False, width=None if sys.stdout.isatty() else PIPED_WIDTH)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def show_error(error: SnnccError) -> None:
    """Every diagnostic on stderr: code and sentence, place, what to try."""
    for diagnostic in error.diagnostics:
        head = Text.assemble(("error ", "bold red"), (diagnostic.code, "bold"), ": ")
        say(head.append(diagnostic.message))
        if diagnostic.place:
            say(Text("   at ", "cyan").append(diagnostic.place, ""))
        if diagnostic.hint:
            say(Text("  try ", "green").append(diagnostic.hint, ""))


def note(text: str) -> None:
    """Something that the user should know, on stderr."""
    say(Text.assemble(("note", "bold yellow"), ": ", text))


HANGING = 6
"""Columns by which lines are indented that go on with what did not fit."""


def say(text: Text) -> None:
    """On stderr: wrapped with a hanging indent on a terminal, as it is in a pipe."""
    if not err.is_terminal or err.width <= 2 * HANGING:
        err.print(text)
        return
    for line in text.split(allow_blank=True):
        first, *rest = line.wrap(err, err.width - HANGING) or [line]
        err.print(first)
        for more in rest:
            err.print(Text(" " * HANGING).append_text(more))


def print_json(value: object) -> None:
    """On stdout, for machines."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


@contextmanager
def progress(quiet: bool = False) -> Iterator[Report]:
    """A bar on a terminal, nothing in a pipe. Call the result with (what, done, total)."""
    if quiet or not err.is_terminal:
        yield lambda what, done, total: None
        return
    columns = (TextColumn("{task.description:<20}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=err, transient=True) as bar:
        task = bar.add_task("", visible=False)  # until there is something to say
        yield lambda what, done, total: bar.update(
            task, description=what, completed=done, total=max(total, 1), visible=True
        )


def samples_done(report: Report, what: str, total: int) -> Callable[[int], None]:
    """Counts the samples that runs are done with; a further run of as many begins anew."""
    done = 0

    def step(count: int) -> None:
        nonlocal done
        done = done % total + count
        report(what, done, total)

    return step


def passes_text(pipeline: str) -> str:
    """On a terminal lines may end after a comma; in a pipe it is as --passes takes it."""
    return pipeline.replace(",", ", ") if out.is_terminal else pipeline


def numbers(text: str | None, what: str) -> tuple[float, ...]:
    """Of `0.485,0.456` or `1/255`; raises SNN030 for what is no number."""
    if text is None:
        return ()
    try:
        return tuple(_number(part) for part in text.replace(" ", ",").split(",") if part)
    except (ValueError, ZeroDivisionError):
        raise fail(
            "SNN030",
            f"{what} is '{text}', should be numbers such as 0.485,0.456 or 1/255",
            hint=f"{what} 1/255 divides by 255; several numbers are one a channel, with commas",
        ) from None


def _number(text: str) -> float:
    above, slash, below = text.partition("/")
    return float(above) / float(below) if slash else float(above)


def settings_of(
    given: Sequence[str], named: Mapping[str, int | float | str | None]
) -> dict[str, object]:
    """Of the texts of --set, and of options that are settings; raises SNN042 for no KEY=VALUE."""
    chosen: dict[str, object] = {key: value for key, value in named.items() if value is not None}
    for item in given:
        key, equals, value = item.partition("=")
        if not equals:
            raise fail(
                "SNN042",
                f"--set is given '{item}', should be KEY=VALUE",
                hint="--set input_bits=8; `snncc targets NAME` lists the keys",
            )
        chosen[key.replace("-", "_")] = value
    return chosen


def preprocessing(
    scale: str | None,
    mean: str | None,
    std: str | None,
    layout: str | None,
    events: Sequence[str] = (),
) -> Preprocessing:
    """From the options' texts."""
    factors = numbers(scale, "--scale")
    if len(factors) > 1:
        raise fail(
            "SNN030",
            f"--scale is '{scale}', should be one number",
            hint="--mean and --std, which take one number a channel",
        )
    return Preprocessing(
        factors[0] if factors else 1.0,
        numbers(mean, "--mean"),
        numbers(std, "--std"),
        layout or "model",
        EventWindow.parse(events),
    )


json_option = click.option("--json", "as_json", is_flag=True, help="Figures as JSON on stdout.")
approximate_option = click.option(
    "--approximate",
    is_flag=True,
    help="Sigmoid, Tanh, Gelu and their like become sums of clipped ramps.",
)
quiet_option = click.option(
    "-q", "--quiet", is_flag=True, help="Only what was asked for: no progress, no notes."
)
verbose_option = click.option(
    "-v",
    "--verbose",
    is_flag=True,
    help="All there is to say: what was chosen, every layer, how long it took.",
)


events_option = click.option(
    "--events",
    multiple=True,
    metavar="KEY=VALUE,…",
    help="The data are events: duration, step (in µs) or count; polarity, sensor, downsample, "
    "most, input; docs/events.md explains them.",
)


def preprocessing_options(command: Command) -> Command:
    """The options of which `preprocessing` makes one."""
    for option in (
        events_option,
        click.option("--layout", help="nhwc: the data's channels come last, the network's first."),
        click.option("--std", help="See --mean."),
        click.option("--mean", help="(data · scale − mean) / std; one number, or one a channel."),
        click.option("--scale", help="Data · scale, such as 1/255."),
    ):
        command = option(command)
    return command


def estimate_line(found: Estimate) -> str:
    """Energy with its largest causes, latency, and what was cut off."""
    largest = sorted(found.parts.items(), key=lambda part: -part[1])[:3]
    causes = ", ".join(f"{name.replace('_', ' ')} {energy:.1f}" for name, energy in largest)
    text = (
        f"estimate: {found.microjoules:.1f} µJ ({causes}), {found.milliseconds:.3f} ms a sample"
        f" ({found.assumptions})"
    )
    if found.saturations:
        text += f"; {found.saturations:.1f} accumulators saturate"
    return text
