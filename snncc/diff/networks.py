"""What differs between two graphs, layer by layer."""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from snncc.diff.changes import Change, shown
from snncc.diff.tensors import Moved, described, kind, moved
from snncc_ir import Floats, Graph, Node, Origin, Spikes, Tensor, Type, print_type
from snncc_ir.ops import Model, Op, Population

NAMESAKES = 0.5
"""Share of layers with a namesake of the same op under which a network is another one."""

NAMES = {
    "bias": ("bias", "biases"),
    "model.theta": ("threshold", "thresholds"),
    "model.threshold": ("threshold", "thresholds of slots"),
    "model.start": ("start", "initial potentials"),
    "scale": ("scale", "scale of the result"),
}
"""Kind and plain name of what a population has, by attribute."""


@dataclass(frozen=True)
class _Attribute:
    """path: of attributes, from the op on. value: a tensor, or what prints as itself."""

    path: str
    value: object


def count_layers(first: Graph, second: Graph) -> int:
    """Layers of both, those that only one has included."""
    return len({*first.by_name, *second.by_name})


def compare_networks(first: Graph, second: Graph) -> Iterator[Change]:
    """Each change from `first` to `second`; none when they are equal.

    One change alone, of kind `network`, for networks of which less than half of the layers have a
    namesake of the same op.
    """
    every = dict.fromkeys([*first.by_name, *second.by_name])
    both = [name for name in every if name in first.by_name and name in second.by_name]
    alike = sum(first[name].op.name == second[name].op.name for name in both)
    if alike < NAMESAKES * len(every):
        yield Change(
            "network",
            "layers",
            f"another network: {alike} of {len(every)} layers are in both under one name, so that "
            "they are not compared one by one",
            before=len(first.nodes),
            after=len(second.nodes),
            figures={"common": alike, "count": len(every)},
        )
        return
    if first.name != second.name:
        told = f"the network's name: {first.name} → {second.name}"
        yield Change("figure", "name", told, before=first.name, after=second.name)
    for name in every:
        ours, theirs = first.by_name.get(name), second.by_name.get(name)
        if ours is None or theirs is None:
            yield from _one_sided(name, ours, theirs)
        else:
            yield from _compare_nodes(ours, theirs)
    if first != second and first.by_name == second.by_name:
        yield Change("layer", "order", "the layers stand in another order")


def _one_sided(name: str, ours: Node | None, theirs: Node | None) -> Iterator[Change]:
    for node, text in ((ours, "only in the first"), (theirs, "only in the second")):
        if node is not None:
            what = f"{node.op.name} : {print_type(node.type)}"
            before, after = (what, None) if node is ours else (None, what)
            yield Change("layer", "presence", f"{text} ({what})", name, before, after)


def _compare_nodes(first: Node, second: Node) -> Iterator[Change]:
    name = first.name

    def changed(quantity: str, before: str, after: str, label: str, kind: str = "layer") -> Change:
        return Change(kind, quantity, f"{label}{before} → {after}", name, before, after)

    if first.op.name != second.op.name:
        yield changed("op", first.op.name, second.op.name, "")
        return
    if first.inputs != second.inputs:
        yield changed("sources", ", ".join(first.inputs), ", ".join(second.inputs), "fed by ")
    if first.type != second.type:
        code = _codes(first.type, second.type)
        if code is None:
            yield changed("type", print_type(first.type), print_type(second.type), "")
        else:
            types = print_type(first.type), print_type(second.type)
            yield Change("layer", "code", f"time code: {code}", name, *types)
    ours = {each.path: each.value for each in _attributes(first.op, "")}
    theirs = {each.path: each.value for each in _attributes(second.op, "")}
    for path in dict.fromkeys([*ours, *theirs]):
        before, after = ours.get(path), theirs.get(path)
        if before != after and not (path == "model.steps" and first.type != second.type):
            yield from _attribute(first, second, path, before, after)
    if first.origin != second.origin:
        texts = str(first.origin), str(second.origin)
        yield Change("origin", "origin", _origins(first.origin, second.origin), name, *texts)


def _origins(first: Origin, second: Origin) -> str:
    """In words: other nodes of the file, or other passes."""
    if first.sources != second.sources:
        before, after = (" + ".join(map(str, o.sources)) or "nothing" for o in (first, second))
        return f"from {before} → {after}"
    more = [name for name in second.passes if name not in first.passes]
    less = [name for name in first.passes if name not in second.passes]
    parts = [f"also by {', '.join(more)}"] if more else []
    parts += [f"no longer by {', '.join(less)}"] if less else []
    return f"made {'; '.join(parts) or 'by the same passes in another order'}"


def _codes(first: Type, second: Type) -> str | None:
    """What is another in the codes of spikes of one shape; None for what is no such pair."""
    if not (isinstance(first, Spikes) and isinstance(second, Spikes)):
        return None
    if first.shape != second.shape or first.code is None or second.code is None:
        return None
    if type(first.code) is not type(second.code):
        return f"{first.code.name} → {second.code.name}"
    return ", ".join(
        f"{each.name} {shown(getattr(first.code, each.name))} → "
        f"{shown(getattr(second.code, each.name))}"
        for each in fields(first.code)
        if getattr(first.code, each.name) != getattr(second.code, each.name)
    )


def _attributes(item: object, path: str) -> Iterator[_Attribute]:
    """The leaves of an op: tensors (weights of several tensors as one) and plain values."""
    match item:
        case Op() | Model():
            if path:
                yield _Attribute(f"{path}.op" if isinstance(item, Op) else path, item.name)
            for each in fields(item):
                here = f"{path}.{each.name}" if path else each.name
                yield from _attributes(getattr(item, each.name), here)
        case tuple() if any(isinstance(part, Op | tuple) for part in item):
            for i, part in enumerate(item):
                yield from _attributes(part, f"{path}.{i}")
        case None:
            return
        case tuple():
            yield _Attribute(path, list(item))
        case _:
            yield _Attribute(path, item)


def _attribute(
    first: Node, second: Node, path: str, before: object, after: object
) -> Iterator[Change]:
    kind_, label = _named(first, path)
    name = first.name
    if isinstance(before, Tensor) and isinstance(after, Tensor) and before.shape == after.shape:
        units = _units(first, second, path, before)
        found = moved(before, after, units)
        yield Change(
            kind_,
            path,
            f"{label}: {_sentence(kind_, before, after, found)}",
            name,
            described(before),
            described(after),
            found.figures(),
        )
        return
    told = [kind(v) if isinstance(v, Tensor) else shown(v) for v in (before, after)]
    old, new = (
        described(v) if isinstance(v, Tensor) else None if v is None else _json(v)
        for v in (before, after)
    )
    yield Change(kind_, path, f"{label}: {told[0]} → {told[1]}", name, old, new)


def _json(value: object) -> str | int | float | bool | list[str]:
    match value:
        case bool() | int() | float() | str():
            return value
        case list():
            return [str(part) for part in value]
    return str(value)


def _sentence(kind_: str, before: Tensor, after: Tensor, found: Moved) -> str:
    format = "" if before.format == after.format else f"{before.format} → {after.format}, "
    if not found.changed:
        same = "number for number" if found.unit == "1" else "in thresholds"
        return f"{format}the same {same}"
    far = found.by_factors if kind_ in ("threshold", "scale") else found.how_far
    return f"{format}{found.how_many}, {far}"


def _named(node: Node, path: str) -> tuple[str, str]:
    """Kind, and what a person calls it."""
    if path in NAMES and isinstance(node.op, Population):
        return NAMES[path]
    if path.endswith("weight"):
        parts = path.split(".")
        if len(parts) > 2 and len(node.inputs) > 1:
            return "weights", f"weights from {node.inputs[int(parts[1])]}"
        return "weights", "weights"
    return ("bias", "biases") if path.endswith("bias") else ("attribute", path)


def _units(first: Node, second: Node, path: str, tensor: Tensor) -> tuple[Floats, Floats] | None:
    """The thresholds of the neurons that the numbers belong to, where they differ.

    Only what a weight is in thresholds means something then: fewer bits make all numbers smaller.
    """
    if not (path.endswith(("weight", "bias")) or path == "model.start"):
        return None
    found = [_threshold(node) for node in (first, second)]
    ours, theirs = found
    if ours is None or theirs is None or np.array_equal(ours, theirs):
        return None
    shaped = [_along(theta, tensor.shape) for theta in (ours, theirs)]
    if shaped[0] is None or shaped[1] is None:
        return None
    return shaped[0], shaped[1]


def _threshold(node: Node) -> Floats | None:
    model = getattr(node.op, "model", None)
    theta = getattr(model, "theta", None)
    if isinstance(theta, Tensor):
        return theta.floats
    slots = getattr(model, "threshold", None)
    return slots.floats[:1] if isinstance(slots, Tensor) else None


def _along(theta: Floats, shape: tuple[int, ...]) -> Floats | None:
    """One number for all, or one for each of the first axis; None for any other shape."""
    if theta.size == 1:
        return theta.reshape(())
    if shape and theta.size == shape[0]:
        return theta.reshape(-1, *[1] * (len(shape) - 1))
    return None
