"""Where everything lies: weights in the kernels' order and indices, in one blob; moves."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from snncc_c.kernels import BY_SPIKES, BY_WEIGHTS, box_size, conv_dense_order, dense_order
from snncc_c.shapes import NO_WINDOW, Box, box, periodic, places, window
from snncc_c.weights import codes, conv_order, outputs_of, packed
from snncc_ir import (
    Binary,
    Code,
    FirstSpike,
    Integers,
    Log2,
    Tensor,
    Type,
    constants,
    octave,
    offsets,
)  # fmt: skip
from snncc_ir.ops import (
    Chain,
    Conv,
    Dense,
    Op,
    Scale,
    SumPool,
    View,
)  # fmt: skip

ALIGNMENT = 64
"""Of a run of working memory, in bytes."""
ALIGNED = 8
"""Of a run of constants, in bytes."""


class Blob:
    """All constants in one run of little-endian bytes."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.size = 0
        self.elements = 0
        """Weights so far, parameters and indices aside."""

    def add(self, array: Integers, dtype: str) -> int:
        """Appends numbers; returns their byte offset."""
        content = np.ascontiguousarray(array).astype(f"<{dtype}").tobytes()
        offset = self.size
        content += bytes(-len(content) % ALIGNED)
        self._parts.append(content)
        self.size += len(content)
        return offset

    @property
    def content(self) -> bytes:
        return b"".join(self._parts) or bytes(ALIGNED)


@dataclass
class State:
    """Working memory, laid out end to end."""

    size: int = 0

    def take(self, count: int, width: int) -> int:
        """Room for `count` numbers of `width` bytes; returns the byte offset."""
        offset = self.size
        self.size += -(-count * width // ALIGNMENT) * ALIGNMENT
        return offset


@dataclass
class Maps:
    """The move and projection tables, and the largest lists and stages that they need."""

    blob: Blob
    moves: list[str] = field(default_factory=list)
    projections: list[str] = field(default_factory=list)
    code: Code | None = None
    density: Mapping[str, float] = field(default_factory=dict)
    """Spikes a neuron and step, by node."""
    longest_list: int = 1
    largest_stage: int = 1
    most_weights: int = 1
    largest_box: int = 1
    tables: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)
    """Of the ttfs code: place and length of each table of magnitudes."""

    def add(
        self,
        chain: Chain,
        source: int,
        source_type: Type,
        order: Integers,
        target: Box,
        kernel: str = BY_SPIKES,
        boxed: bool = False,
        input_bits: int | None = None,
    ) -> None:
        """Adds the projection of one map.

        order: how the source's neurons are stored. kernel: which one takes it. boxed: whether a
        dense one could. input_bits: magnitude, of an input's numbers.
        """
        first, kind = len(self.moves), source_type
        dense = kernel == BY_WEIGHTS
        last: Op
        *before, last = chain
        for op in before:
            if isinstance(op, SumPool):
                order = self._stand(order, kind)
                self._sumpool(op, kind)
            elif isinstance(op, View):
                self._view(op, kind, order)
            kind = op.output_type((kind,))
            order = box(kind.shape).order
        match last:
            case Conv():
                order = self._stand(order, kind)
                from_box, to_box = box(kind.shape), target
                weights = conv_dense_order(last) if dense else conv_order(last)
                groups, period = last.groups, 1
                shape = window(last.window)
                listed = from_box.channels
                weight, each = last.weight, outputs_of(last.weight, self.code, input_bits)
            case Dense():
                from_box = Box(kind.size, 1, 1)
                to_box = Box(last.weight.shape[0], 1, 1)
                weights = codes(last.weight)[np.ix_(target.order, order)].T
                weights = dense_order(weights) if dense else weights
                groups, period, shape = 1, 1, NO_WINDOW
                listed = kind.size
                weight = last.weight
                each = outputs_of(weight, self.code, input_bits)
                each = each[target.order] if each.size else each
            case Scale():
                # the map's result is the population in row-major order, whatever its shape
                weight = last.weight
                if isinstance(weight, Binary):
                    weight = Tensor(weight.array)
                full = np.broadcast_to(codes(weight), kind.shape).reshape(-1)
                if not np.array_equal(order, target.order):
                    self._reorder(kind, order, target.order)
                from_box = to_box = target
                groups, shape, listed = 1, NO_WINDOW, 1
                if isinstance(weight, Log2) and isinstance(self.code, FirstSpike):
                    shift = offsets(weight, self.code, input_bits)
                    shift = np.broadcast_to(shift, kind.shape).reshape(-1)
                    full, shift = full[target.order], shift[target.order]
                    period = max(periodic(full, target)[1], periodic(shift, target)[1])
                    weights, each = full[:period], shift[:period]
                else:
                    weights, period = periodic(full[target.order], target)
                    each, weight = weights[:0], Tensor(weights.astype(np.int32))
            case _:
                raise AssertionError("the checker holds that a map ends in conv, dense or scale")
        if boxed and isinstance(last, Conv | Dense):
            size = box_size(last, kind, (target.height, target.width))
            self.largest_box = max(self.largest_box, size)
        self.longest_list = max(self.longest_list, listed)
        self.largest_stage = max(self.largest_stage, kind.size)
        is_log, factors = isinstance(weight, Log2), -1
        if isinstance(weight, Binary):
            width, offset = 0, self.blob.add(packed(weights), "u1")
            factors = self.blob.add(each, "i2")
        else:
            width = 1 if is_log else weight.array.dtype.itemsize
            offset = self.blob.add(weights, f"i{width}")
        self.blob.elements += weights.size
        self.most_weights = max(self.most_weights, weights.size)
        products = self._products(weight, each, input_bits) if is_log else "-1, -1, 0, 0, 0"
        name = {"conv": "SNNCC_CONV", "dense": "SNNCC_DENSE", "scale": "SNNCC_SCALE"}[last.name]
        self.projections.append(
            f"{{{name}, {kernel}, {source}, {first}, {len(self.moves) - first}, "
            f"{from_box}, {to_box}, "
            f"{shape}, {groups}, {width}, {offset}, {factors}, {period}, {products}}}"
        )

    def _products(self, weight: Tensor, each: Integers, input_bits: int | None) -> str:
        """The fields with which codes are multiplied; each: offset of each output."""
        if not isinstance(weight, Log2) or not isinstance(self.code, FirstSpike):
            raise AssertionError("log2 weights and the ttfs code go together")
        units, bits = octave(self.code, weight), self.code.constant_bits
        if (units, bits) not in self.tables:
            table = np.array([c >> shift for shift in range(bits) for c in constants(bits, units)])
            content = np.append(table, 0)  # behind it, for what is too small
            self.tables[units, bits] = (self.blob.add(content, "i4"), table.size)
        magnitudes, count = self.tables[units, bits]
        spike = units if input_bits else units // self.code.tau
        place = self.blob.add(each, "i4")
        return f"{place}, {magnitudes}, {count}, {spike}, {units // weight.resolution}"

    def _stand(self, order: Integers, kind: Type) -> Integers:
        """Puts a stage into the standard order of its shape where it is in another."""
        standard = box(kind.shape).order
        if not np.array_equal(order, standard):
            self._reorder(kind, order, standard)
        return standard

    def _reorder(self, kind: Type, order: Integers, wanted: Integers) -> None:
        self._move_view(places(order)[wanted], kind.size, kind.size)

    def _view(self, op: View, kind: Type, order: Integers) -> None:
        index = op.index.integers.reshape(-1)[box(op.index.shape).order]
        stored = np.where(index < 0, -1, places(order)[index])
        self._move_view(stored, kind.size, index.size)

    def _move_view(self, index: Integers, before: int, after: int) -> None:
        offset = self.blob.add(index, "i4")
        self.largest_stage = max(self.largest_stage, before, after)
        self.moves.append(
            f"{{SNNCC_VIEW, {Box(before, 1, 1)}, {Box(after, 1, 1)}, {NO_WINDOW}, {offset}}}"
        )

    def _sumpool(self, op: SumPool, kind: Type) -> None:
        after = op.output_type((kind,))
        self.largest_stage = max(self.largest_stage, kind.size, after.size)
        self.moves.append(
            f"{{SNNCC_SUMPOOL, {box(kind.shape)}, {box(after.shape)}, {window(op.window)}, -1}}"
        )
