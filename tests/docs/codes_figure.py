"""docs/codes.svg: one number in three codes, as the neurons of the IR send it."""

import numpy as np

from snncc_ir import i32
from snncc_ir.ops import IntegrateFire, RadixFire, TimeToFirstSpike

ONE = 1 << 16
"""The threshold: what the largest activation is worth."""
STEPS, SLOTS, TAU, DIGITS = 8, 12, 4, 4
LEFT, TOP, ROW, CELL, TALL = 150, 46, 62, 38, 26


def rate(value: float) -> list[int]:
    """Spikes of an `if` neuron in each step, under an even current."""
    neuron = IntegrateFire(STEPS, i32([ONE]), i32([ONE // 2]))
    potential, count = neuron.start.integers.copy(), np.zeros(1, np.int64)
    train = []
    for _ in range(STEPS):
        potential += round(value * ONE)
        train.append(int(neuron.fire(potential, count)[0]))
    return train


def first_spike(value: float) -> list[int]:
    """The slot in which a `ttfs` neuron fires, rounding to the nearest."""
    table = [round(ONE * 2 ** (-(k + 0.5) / TAU)) for k in range(SLOTS)]
    slot = int(TimeToFirstSpike(TAU, i32(table)).slot(np.array([round(value * ONE)]))[0])
    return [int(k == slot) for k in range(SLOTS)]


def digits(value: float) -> list[int]:
    """The digits that a `radix` neuron sends."""
    neuron = RadixFire(DIGITS, i32([ONE]), i32([ONE // 2]))
    potential = np.array([round(value * neuron.code.levels * ONE)]) + neuron.start.integers
    return [int(neuron.fire(potential, step)[0]) for step in range(DIGITS)]


def meaning(value: float) -> dict[str, tuple[str, list[int], str]]:
    """By code: what its time is divided into, the spikes, and what they stand for."""
    rates, slots, binary = rate(value), first_spike(value), digits(value)
    number = int("".join(map(str, binary)), 2)
    slot = slots.index(1)
    return {
        "rate": (
            "steps", rates, f"{sum(rates)} of {STEPS} = {sum(rates) / STEPS:.3f}",
        ),
        "time to first spike": (
            "slots", slots, f"slot {slot}: 2^(−{slot}/{TAU}) = {2 ** (-slot / TAU):.3f}",
        ),
        "radix": (
            "digits", binary, f"{''.join(map(str, binary))} = {number} of {2**DIGITS - 1} "
            f"= {number / (2**DIGITS - 1):.3f}",
        ),
    }  # fmt: skip


def codes_svg(value: float = 0.625) -> str:
    """The picture."""
    rows = meaning(value)
    width, height = LEFT + SLOTS * CELL + 210, TOP + ROW * len(rows) + 4
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="14" fill="#444">',
        f"<title>The number {value} in three codes</title>",
        f'<rect width="{width}" height="{height}" rx="6" fill="#fff"/>',
        f'<text x="16" y="26" font-weight="bold">{value} of the largest activation</text>',
    ]
    for i, (name, (unit, train, told)) in enumerate(rows.items()):
        y = TOP + i * ROW + TALL
        parts.append(f'<text x="16" y="{y - 6}">{name}</text>')
        parts.append(f'<text x="16" y="{y + 11}" font-size="11" fill="#888">{unit}</text>')
        for k, spike in enumerate(train):
            x = LEFT + k * CELL
            parts.append(
                f'<path d="M{x} {y}h{CELL - 4}" stroke="#bbb" stroke-width="2"/>'
                f'<text x="{x + CELL // 2 - 2}" y="{y + 14}" font-size="10" fill="#999" '
                f'text-anchor="middle">{k}</text>'
            )
            if spike:
                parts.append(
                    f'<path d="M{x + CELL // 2 - 2} {y}v-{TALL}" stroke="#5e35b1" '
                    'stroke-width="4"/>'
                )
        parts.append(f'<text x="{LEFT + len(train) * CELL + 8}" y="{y - 4}">{told}</text>')
    return "\n".join([*parts, "</svg>", ""])
