"""The immutable graph: nodes in topological order, each with its type and its origin."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from snncc_ir.diagnostics import fail, nearest
from snncc_ir.ops import AnyInput, Neuron, Op, Output, Population, TypeRuleError
from snncc_ir.types import Code, Spikes, Type


@dataclass(frozen=True, order=True)
class Source:
    """A node of the user's file: its operator and its name (or, without one, its first output)."""

    op_type: str
    name: str

    def __str__(self) -> str:
        return f"{self.op_type} '{self.name}'"


@dataclass(frozen=True)
class Origin:
    """Where a node comes from: nodes of the user's file, and the passes that made it of them."""

    sources: tuple[Source, ...] = ()
    passes: tuple[str, ...] = ()

    def joined(self, others: Iterable["Origin"], by: str) -> "Origin":
        """Origin of a node that `by` made of this one and others; each source and pass once."""
        origins = (self, *others)
        sources = dict.fromkeys(source for origin in origins for source in origin.sources)
        passes = dict.fromkeys(name for origin in origins for name in origin.passes)
        return Origin(tuple(sources), tuple(dict.fromkeys([*passes, by])))

    def by(self, name: str) -> "Origin":
        """The same sources, rewritten by one more pass."""
        return self.joined((), name)

    def __str__(self) -> str:
        text = " + ".join(map(str, self.sources)) or "no node of the model"
        return f"{text} (by {', '.join(self.passes)})" if self.passes else text


@dataclass(frozen=True)
class Node:
    """One value of the graph: its name, the op that makes it, its operands, its type."""

    name: str
    op: Op
    inputs: tuple[str, ...]
    type: Type
    origin: Origin = Origin()


@dataclass(frozen=True)
class Graph:
    """Nodes in topological order, under unique names. Built by `GraphBuilder`, never changed."""

    name: str
    nodes: tuple[Node, ...]

    @cached_property
    def by_name(self) -> Mapping[str, Node]:
        return {node.name: node for node in self.nodes}

    def __getitem__(self, name: str) -> Node:
        return self.by_name[name]

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def operands(self, node: Node) -> tuple[Node, ...]:
        """The nodes that feed `node`, in order."""
        return tuple(self.by_name[name] for name in node.inputs)

    @cached_property
    def users(self) -> Mapping[str, tuple[Node, ...]]:
        """For each name, the nodes that read it, in order."""
        users: dict[str, list[Node]] = {node.name: [] for node in self.nodes}
        for node in self.nodes:
            for name in dict.fromkeys(node.inputs):
                users[name].append(node)
        return {name: tuple(nodes) for name, nodes in users.items()}

    @property
    def inputs(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if isinstance(node.op, AnyInput))

    @property
    def outputs(self) -> tuple[Node, ...]:
        return tuple(node for node in self.nodes if isinstance(node.op, Output))

    @property
    def code(self) -> Code | None:
        """The code of what neurons send; None when the network has no spiking neurons."""
        for node in self.nodes:
            if isinstance(node.type, Spikes) and isinstance(node.op, Neuron | Population):
                return node.type.code
        return None

    def rewritten(self, rewrite: Callable[[Node], Node]) -> "Graph":
        """The graph of all nodes rewritten one by one, types inferred anew."""
        builder = GraphBuilder(self.name)
        for node in self.nodes:
            new = rewrite(node)
            builder.add(new.name, new.op, new.inputs, new.origin)
        return builder.graph()


class GraphBuilder:
    """Adds nodes one after the other and infers their types."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._nodes: dict[str, Node] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._nodes

    def __getitem__(self, name: str) -> Node:
        return self._nodes[name]

    def add(self, name: str, op: Op, inputs: Iterable[str], origin: Origin = Origin()) -> Node:
        """Adds a node. Raises SNN010 when its operands do not fit or its name is taken."""
        names = tuple(inputs)
        if name in self._nodes:
            raise fail(
                "SNN010", f"value '{name}' is defined twice", str(origin), "another name for one"
            )
        missing = [operand for operand in names if operand not in self._nodes]
        if missing:
            raise fail(
                "SNN010",
                f"operand '{missing[0]}' of '{name}' is not defined before it",
                str(origin),
                nearest(missing[0], self._nodes, "define a value before it is used"),
            )
        if (op.arity is not None and len(names) != op.arity) or (op.arity is None and not names):
            expected = "at least 1" if op.arity is None else str(op.arity)
            raise fail(
                "SNN010",
                f"{op.name} '{name}' has {len(names)} operands, should be {expected}",
                str(origin),
                f"as many operands as {op.name} takes; sum several with add, or concat them",
            )
        try:
            type = op.output_type(tuple(self._nodes[operand].type for operand in names))
        except TypeRuleError as error:
            raise fail(
                "SNN010",
                f"{op.name} '{name}': {error}",
                str(origin),
                "look at its attributes, and at the types of its operands",
            ) from None
        node = Node(name, op, names, type, origin)
        self._nodes[name] = node
        return node

    @property
    def names(self) -> tuple[str, ...]:
        """All names, in the order in which they were added."""
        return tuple(self._nodes)

    def unique(self, wish: str) -> str:
        """`wish`, or `wish` with the first free number behind it."""
        if wish not in self._nodes:
            return wish
        number = 2
        while f"{wish}_{number}" in self._nodes:
            number += 1
        return f"{wish}_{number}"

    def graph(self) -> Graph:
        """The graph of all nodes that an output needs, and of all inputs."""
        needed: set[str] = set()
        for node in reversed(self._nodes.values()):
            if isinstance(node.op, AnyInput | Output) or node.name in needed:
                needed |= {node.name, *node.inputs}
        return Graph(self.name, tuple(n for n in self._nodes.values() if n.name in needed))


def with_op(node: Node, op: Op, by: str) -> Node:
    """`node` with another op, by a pass; its type has to be inferred anew."""
    return replace(node, op=op, origin=node.origin.by(by))
