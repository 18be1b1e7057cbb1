"""What a comparison finds: changes, each with its place, its figures and its sentence."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from snncc_ir import fail, nearest

KINDS: Mapping[str, str] = {
    "network": "another network altogether, which is not compared layer by layer",
    "layer": "a layer that only one has, or another op, another shape, other sources",
    "weights": "numbers of a layer's weights",
    "bias": "numbers of its biases",
    "threshold": "thresholds of its neurons",
    "start": "initial potentials of its neurons",
    "scale": "what one unit of its result is worth",
    "attribute": "anything else that is set of a layer",
    "origin": "which nodes of the file a layer comes from, and which passes made it",
    "target": "the target",
    "model": "the ONNX file that was compiled",
    "calibration": "the calibration samples",
    "preprocessing": "from data to the network's numbers",
    "interface": "names and shapes of inputs and outputs",
    "setting": "a setting",
    "passes": "a pass of the pipeline, or one of its options",
    "note": "what the compiler had to say",
    "accuracy": "what the passes did to accuracy, from the reports",
    "measured": "what was measured on --data now",
    "figure": "any other figure of manifest and report",
    "image": "a chip's binary image, field by field",
    "file": "another file of the bundle",
}
"""What a change can be of, and what that is."""

Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]


_COUNTED = (
    ("note", "note", "notes"),
    ("figure", "figure", "figures"),
    ("image", "place in the image", "places in the image"),
    ("file", "file", "files"),
)
"""Kinds of which a summary only has the number, and what one and many are called."""
SETTINGS = 4
"""Settings that a summary names."""


@dataclass(frozen=True)
class Change:
    """One thing that is not the same.

    kind: of `KINDS`. layer: name of the node of the IR; None for what is of the whole. quantity:
    what of it (of an image, the core). before, after: as JSON; None for what one has not. figures:
    by name, such as `changed` of `count` numbers. text: a sentence, without its place.
    """

    kind: str
    quantity: str
    text: str
    layer: str | None = None
    before: Json = None
    after: Json = None
    figures: Mapping[str, float] = field(default_factory=dict)

    @property
    def place(self) -> str:
        """`layer 'conv1'`, `core 3` of an image; empty for what is of the whole."""
        if self.layer is not None:
            return f"layer '{self.layer}'"
        return self.quantity if self.kind == "image" and self.quantity.startswith("core ") else ""

    @property
    def line(self) -> str:
        """The sentence with its place, such as `layer 'conv1': …`."""
        return f"{self.place}: {self.text}" if self.place else self.text


@dataclass(frozen=True)
class Difference:
    """All that differs from a first thing to a second; nothing when they are the same.

    layers: how many were compared, those that only one has included. ignored: changes that were
    not to count, by kind.
    """

    changes: tuple[Change, ...]
    layers: int = 0
    ignored: Mapping[str, int] = field(default_factory=dict)

    @property
    def equal(self) -> bool:
        """Whether nothing differs (that counts)."""
        return not self.changes

    @property
    def changed_layers(self) -> tuple[str, ...]:
        """The layers that differ, in order."""
        return tuple(dict.fromkeys(c.layer for c in self.changes if c.layer is not None))

    def of(self, *kinds: str) -> tuple[Change, ...]:
        """The changes of these kinds."""
        return tuple(change for change in self.changes if change.kind in kinds)

    def without(self, kinds: Iterable[str]) -> "Difference":
        """The same, where changes of these kinds do not count."""
        names = tuple(dict.fromkeys(kinds))
        dropped = {name: len(self.of(name)) for name in names if self.of(name)}
        kept = tuple(change for change in self.changes if change.kind not in names)
        return replace(self, changes=kept, ignored=dropped)

    @property
    def summary(self) -> str:
        """One line: how many layers, which settings, what accuracy."""
        parts = list(self._parts())
        left = ""
        if self.ignored:
            told = ", ".join(f"{count} of kind {kind}" for kind, count in self.ignored.items())
            left = f" (left out as asked: {told})"
        return ("; ".join(parts) if parts else "no difference") + left

    def _parts(self) -> Iterator[str]:
        if self.of("network"):
            yield "another network"
        elif self.changed_layers:
            changed = len(self.changed_layers)
            every = f"{changed} of {self.layers} layers" if self.layers else f"{changed} layers"
            yield f"{every} differ{'s' if changed == 1 else ''}"
        for kind in ("target", "model", "calibration", "preprocessing", "interface"):
            if self.of(kind):
                yield f"another {kind}"
        settings = [
            f"{c.quantity} {shown(c.before)} → {shown(c.after)}" for c in self.of("setting")
        ]
        if settings:
            rest = len(settings) - SETTINGS
            more = f", and {rest} more" if rest > 0 else ""
            yield f"settings: {', '.join(settings[:SETTINGS])}{more}"
        elif self.of("passes"):
            yield "other passes"
        for kind in ("measured", "accuracy"):
            told = [c for c in self.of(kind) if c.quantity == "accuracy"]
            if told:
                points = told[0].figures.get("points", 0.0)
                where = "measured accuracy" if kind == "measured" else "accuracy"
                yield f"{where} {points:+.2f} points"
        classes = [each for each in self.of("measured") if each.quantity == "classes"]
        if classes and all(each.quantity != "accuracy" for each in self.of("measured")):
            yield classes[0].text
        for kind, one, many in _COUNTED:
            count = len(self.of(kind))
            if count:
                yield f"{count} {one if count == 1 else many}"

    def as_json(self) -> dict[str, object]:
        """For machines; docs/diff.md says what each is."""
        return {
            "format": 1,
            "equal": self.equal,
            "summary": self.summary,
            "layers": {"compared": self.layers, "differ": list(self.changed_layers)},
            "ignored": dict(self.ignored),
            "changes": [asdict(change) for change in self.changes],
        }


def checked_kinds(names: Iterable[str]) -> tuple[str, ...]:
    """The names, each once; raises SNN042 for one that is no kind."""
    for name in names:
        if name not in KINDS:
            raise fail(
                "SNN042",
                f"'{name}' is no kind of change, should be one of {', '.join(KINDS)}",
                hint=nearest(name, KINDS, "--ignore note,file"),
            )
    return tuple(dict.fromkeys(names))


def plural(noun: str, count: int) -> str:
    """`note` or `notes`."""
    return noun if count == 1 else f"{noun}s"


def shown(value: object) -> str:
    """A value of JSON as a person writes it."""
    match value:
        case None:
            return "none"
        case bool():
            return "on" if value else "off"
        case float():
            return f"{value:g}"
        case list():
            return f"[{', '.join(map(shown, value))}]"
        case dict():
            return ", ".join(f"{key} {shown(item)}" for key, item in value.items()) or "none"
    return str(value)
