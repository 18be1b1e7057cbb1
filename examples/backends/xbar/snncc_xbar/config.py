"""`xbar/config.json`: what is on which array, and how values come there. Written and read back."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from types import GenericAlias
from typing import TypeVar, get_args, get_origin, get_type_hints

from snncc.ir import SnnccError, fail
from snncc_xbar.device import Device
from snncc_xbar.tiling import Scheme, Tile

FORMAT = 1
FOLDER = "xbar"
CONFIG = f"{FOLDER}/config.json"
TENSORS = f"{FOLDER}/digital.safetensors"
MAP = f"{FOLDER}/map.txt"
Made = TypeVar("Made")


@dataclass(frozen=True)
class Arrays:
    """rows and columns of each; mux columns share a converter of adc_bits."""

    rows: int
    columns: int
    mux: int
    adc_bits: int


@dataclass(frozen=True)
class InputPort:
    """Numbers as integers clip(round(x / scale), −levels, levels), sent bit by bit, once."""

    name: str
    shape: tuple[int, ...]
    scale: float
    levels: int


@dataclass(frozen=True)
class Kernel:
    """A window that slides over (channels, *spatial): rows are (channel, tap)."""

    kernel: tuple[int, ...]
    stride: tuple[int, ...]
    pads: tuple[int, ...]
    dilation: tuple[int, ...]


@dataclass(frozen=True)
class PlacedTile(Tile):
    """array: its number and file, `arrays/<number>.bin`: rows × columns bits, row after row, the
    most significant bit of a byte first."""

    array: int


@dataclass(frozen=True)
class Map:
    """One projection. tensors: `<tensors>.route`, `.factor` or `.scale` among the digital ones.

    moved: shape of what the kernel (or, without one, the whole matrix or scale) reads. bits and
    signed: of the values at the rows, sent bit by bit, positive ones and then negative ones.
    """

    source: str
    tensors: str
    routed: bool
    moved: tuple[int, ...]
    bits: int
    signed: bool
    kernel: Kernel | None
    outputs: int
    groups: int
    scheme: Scheme | None
    tiles: tuple[PlacedTile, ...]


@dataclass(frozen=True)
class Layer:
    """A population (model: of its neurons, by the IR's names) or, as `maxpool`, counters.

    most: spikes at once. delay: steps that a readout leaves out. kernel: of a max pool.
    """

    name: str
    model: str
    shape: tuple[int, ...]
    most: int
    delay: int
    maps: tuple[Map, ...]
    kernel: Kernel | None
    source: str


@dataclass(frozen=True)
class Config:
    """The whole file."""

    format: int
    steps: int
    arrays: Arrays
    device: Device
    inputs: tuple[InputPort, ...]
    layers: tuple[Layer, ...]

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def read_config(value: object, place: str) -> Config:
    """Of a JSON value; raises SNN052 where a field is missing or of another kind."""
    config = _dataclass(Config, value, place)
    if config.format != FORMAT:
        raise _broken(f"the format is {config.format}, should be {FORMAT}", place)
    return config


def _dataclass(kind: type[Made], value: object, place: str) -> Made:
    if not isinstance(value, Mapping):
        raise _broken(f"{place} is {type(value).__name__}, should be an object", place)
    hints = get_type_hints(kind)
    names = [field.name for field in fields(kind)]  # type: ignore[arg-type]
    missing = [name for name in names if name not in value]
    if missing:
        raise _broken(f"'{missing[0]}' is missing, should be there", place)
    return kind(**{n: _of(hints[n], value[n], f"{place}: {n}") for n in names})


def _of(kind: object, value: object, place: str) -> object:
    """A value of a JSON file as a field of type `kind`."""
    if isinstance(kind, GenericAlias) and get_origin(kind) is tuple:
        if not isinstance(value, Sequence) or isinstance(value, str):
            raise _broken(f"found {value!r}, should be a list", place)
        return tuple(_of(get_args(kind)[0], each, place) for each in value)
    if isinstance(kind, type) and issubclass(kind, bool | int | float | str):
        allowed = (int, float) if kind is float else kind
        if not isinstance(value, allowed) or isinstance(value, bool) != (kind is bool):
            raise _broken(f"found {value!r}, should be of type {kind.__name__}", place)
        return kind(value)
    if isinstance(kind, type):
        return _dataclass(kind, value, place)
    own, nothing = get_args(kind)
    return _of(own, value, place) if value is not None and nothing is type(None) else None


def _broken(message: str, place: str) -> SnnccError:
    return fail("SNN052", f"the configuration does not fit: {message}", place, "compile anew")
