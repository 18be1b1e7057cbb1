"""The machine's instructions: one table that encoder, checker, text form and docs read.

docs/targets/ttfs28.md says what each does.
"""

import struct
from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    """A 32-bit field of an instruction; two's complement if `signed`."""

    name: str
    signed: bool = False


@dataclass(frozen=True)
class Form:
    """opcode: the low byte of an instruction's first word. fields: in order."""

    opcode: int
    fields: tuple[Field, ...]

    @property
    def size(self) -> int:
        """Bytes of an instruction."""
        return 4 + 4 * len(self.fields)

    @property
    def layout(self) -> str:
        """For `struct`: the first word and the fields."""
        return "<I" + "".join("i" if field.signed else "I" for field in self.fields)


def _form(opcode: int, fields: str) -> Form:
    """fields: names, with ± behind the signed ones."""
    return Form(opcode, tuple(Field(name.rstrip("±"), "±" in name) for name in fields.split()))


INSTRUCTIONS: dict[str, Form] = {
    "end": _form(0, ""),
    "tile": _form(1, "channels height width"),
    "window": _form(
        2,
        "kernel_y kernel_x stride_y stride_x pad_y± pad_x± dilation_y dilation_x pool_y pool_x",
    ),
    "weights": _form(3, "first count to"),
    "clear": _form(4, "count"),
    "load": _form(
        5, "space from count_c count_y count_x step_c± step_y± step_x± to to_c to_y to_x"
    ),
    "start": _form(6, "first each"),
    "integrate": _form(7, "kind at channels height width groups weights exponents"),
    "fire": _form(8, "table to step_c± step_y± step_x±"),
    "read": _form(9, "to step_c± step_y± step_x±"),
    "pool": _form(10, "at height width to step_c± step_y± step_x±"),
}
"""Every instruction by its name."""

NAMES = {form.opcode: name for name, form in INSTRUCTIONS.items()}


@dataclass(frozen=True)
class Instruction:
    """layer: index into the image's names. fields: in the order of `INSTRUCTIONS[name].fields`."""

    name: str
    layer: int
    fields: tuple[int, ...]

    def __getitem__(self, field: str) -> int:
        names = [each.name for each in INSTRUCTIONS[self.name].fields]
        return self.fields[names.index(field)]

    def encoded(self) -> bytes:
        """The instruction's bytes; raises `struct.error` when a number does not fit."""
        form = INSTRUCTIONS[self.name]
        head = form.opcode | len(form.fields) << 8 | self.layer << 16
        return struct.pack(form.layout, head, *self.fields)


def instruction(name: str, layer: int, **fields: int) -> Instruction:
    """An instruction by field names; all have to be given."""
    declared = [field.name for field in INSTRUCTIONS[name].fields]
    if set(fields) != set(declared):
        raise ValueError(f"{name} is given {sorted(fields)}, should be {declared}")
    return Instruction(name, layer, tuple(int(fields[field]) for field in declared))
