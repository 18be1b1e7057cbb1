"""Numbers as a person reads them."""

from math import floor, log10

from snncc.shares import Share

PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"))


def percent(value: float | None, digits: int = 2) -> str:
    """Of a share from 0 to 1."""
    return "–" if value is None else f"{100 * value:.{digits}f} %"


def share(value: Share | None) -> str:
    """With its interval: `91.73 % [89.7, 93.4]`."""
    if value is None:
        return "–"
    return f"{100 * value.value:.2f} % [{100 * value.low:.1f}, {100 * value.high:.1f}]"


def decibels(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}"


def significant(value: float, digits: int = 3) -> str:
    """Such as `0.0123`, `1.23`, `123`, `12,300`."""
    if value == 0:
        return "0"
    places = digits - 1 - floor(log10(abs(value)))
    rounded = round(value, places)
    return f"{rounded:,.{max(places, 0)}f}" if abs(value) < 1e15 else f"{value:.3g}"


def large(value: float) -> str:
    """Such as `12.3 M`."""
    for size, prefix in PREFIXES:
        if abs(value) >= size * 10:
            return f"{significant(value / size)} {prefix}"
    return significant(value) if value != round(value) else f"{value:,.0f}"


def size(bits: float) -> str:
    """Of memory."""
    bytes_ = bits / 8
    if bytes_ < 10_000:
        return f"{bytes_:,.0f} bytes"
    return f"{significant(bytes_ / 1e3)} kB" if bytes_ < 1e6 else f"{significant(bytes_ / 1e6)} MB"


def points(before: float, after: float) -> str:
    """What an accuracy gains or loses: `+0.24 points`, of shares from 0 to 1."""
    gained = 100 * (after - before)
    return f"{gained:+.2f} points" if abs(gained) >= 0.005 else "no points"


def energy(microjoules: float) -> str:
    """Such as `123 µJ`, `1.23 mJ`, `450 nJ`."""
    if microjoules >= 1000:
        return f"{significant(microjoules / 1000)} mJ"
    if microjoules < 1:
        return f"{significant(microjoules * 1000)} nJ"
    return f"{significant(microjoules)} µJ"


def duration(milliseconds: float) -> str:
    """Such as `4.5 ms`, `120 µs`, `1.2 s`."""
    if milliseconds >= 1000:
        return f"{significant(milliseconds / 1000)} s"
    if milliseconds < 1:
        return f"{significant(milliseconds * 1000)} µs"
    return f"{significant(milliseconds)} ms"


def cell(value: str | int | float | None) -> str:
    """Of a table."""
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    if isinstance(value, int) or value == round(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"
