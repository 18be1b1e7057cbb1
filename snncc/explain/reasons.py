"""Why a layer loses what it loses: the largest of its measured causes, in a sentence."""

from dataclasses import dataclass

from snncc.explain.tally import Tally

SCALED = 1.5
"""A gain from which on (or from its inverse down) a layer is scaled wrongly, and not just rough."""
NOTABLE = 0.01
"""Share of a layer's energy (20 dB) below which nothing is worth a word."""
BEYOND_ROUNDING = 4.0
"""Times the energy of rounding, from which on a gain is not made by rounding alone."""
CEILING_SHARE = 0.25
"""Share of a layer's own error above the float layer's ceiling that makes that its cause."""

TOO_COARSE = 0.25
"""Share of a layer's energy that rounding alone costs, from which on it is the cause."""
UNEVEN = 0.25
"""Of the energy of weights, from which on unevenness in time is what they are moved against."""

CAUSES = {
    "scaled": "what is sent is a multiple of what should be",
    "ceiling": "neurons send more than the float layer's ceiling",
    "clipped": "numbers above the largest that a neuron can send",
    "silent": "neurons that never fire, although they should",
    "coarse": "rounding to the code's levels",
    "weights": "weights and thresholds other than the float layer's: rounded, or calibrated",
    "time": "currents that are uneven over time: spikes too late, or too early",
}
"""What a layer's own error is made of, with what it means."""


@dataclass(frozen=True)
class Finding:
    """cause: a key of `CAUSES`, or `none`. text: a sentence with figures."""

    cause: str
    text: str


def losses_of(tally: Tally) -> dict[str, float]:
    """Energies as shares of the energy of what is due; `added` of that in the float network.

    `own` is how far the layer is from what the float layer makes of the same input; `added` is what
    the error grows by at this layer, which is less where calibration has moved its weights against
    what arrives. The others are the steps of `own`, each measured where it happens: what is due is
    clipped, rounded (`silent`: what of it is due from neurons that never fire), computed with the
    chip's weights, and sent over time. They may take each other back, and need not add up.
    """
    due = tally.due if tally.due > 0 else 1.0
    parts = {
        "own": tally.own,
        "clipped": tally.clipped,
        "silent": tally.silent,
        "coarse": tally.coarse,
        "weights": tally.weights,
        "time": tally.time,
    }
    shares = {name: energy / due for name, energy in parts.items()}
    return {**shares, "added": tally.added / tally.signal if tally.signal > 0 else 0.0}


def find(tally: Tally) -> Finding:
    """The cause of most of what a layer adds to the error."""
    losses = losses_of(tally)
    if losses["added"] < NOTABLE:
        if losses["own"] < NOTABLE:
            text = f"nothing worth a word: its own error is {_percent(losses['own'])} of its energy"
        else:
            text = "nothing: what it does otherwise than the float layer mends what arrives"
        return Finding("none", text)
    if _scaled(tally):
        return Finding(
            "scaled",
            f"it sends {_times(tally.gain or 0.0)} what the float layer makes of the same input: "
            "its weights or thresholds are not the model's",
        )
    if tally.above > CEILING_SHARE * tally.own:
        return Finding(
            "ceiling",
            f"it sends up to {tally.most_sent:.3g} where the float layer ends at "
            f"{tally.most_due:.3g}: the ceiling of its activation (such as ReLU6) is missing",
        )
    # calibration moves weights against what time does, so that only both together are a loss
    both = "time" if losses["time"] > UNEVEN * losses["weights"] else "weights"
    share = {name: losses[name] for name in ("clipped", "silent", "coarse")}
    if losses["coarse"] < TOO_COARSE:  # else no weights could help
        share[both] = tally.moved / tally.due
    cause = max(share, key=lambda name: share[name])
    return Finding(cause, _sentence(cause, share[cause], tally))


def _scaled(tally: Tally) -> bool:
    """Whether what is sent is a multiple of what is due, other than by rounding."""
    gain, rounded = tally.gain, tally.rounded_gain
    if gain is None:
        return False
    if gain > SCALED:
        return tally.moved > BEYOND_ROUNDING * tally.coarse
    return gain < 1 / SCALED and (rounded is None or rounded < 1 / SCALED) and not tally.silent


def _sentence(cause: str, share: float, tally: Tally) -> str:
    lost = f"{_percent(share)} of its energy"
    match cause:
        case "clipped":
            return (
                f"{_percent(tally.over / tally.size)} of its numbers are above what a neuron can "
                f"send (up to {tally.most_due:.3g}; it sends {tally.most_sent:.3g} at most), which "
                f"is {lost}"
            )
        case "silent":
            return f"{len(tally.dead)} neurons never fire although they should, which is {lost}"
        case "coarse":
            return f"the code's levels are too coarse for its numbers: rounding is {lost}"
        case "weights":
            return (
                f"its weights, biases and thresholds differ from the float layer's, rounded or "
                f"moved by calibration: {lost}"
            )
    return f"spikes come too late or too early, as currents are uneven over time: {lost}"


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"


def _times(gain: float) -> str:
    return f"{gain:.3g} times" if gain >= 1 else f"only {gain:.2g} times"
