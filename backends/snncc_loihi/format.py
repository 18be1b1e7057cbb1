"""Core maps as `snncc disasm`, `asm` and `diff` know them."""

from snncc_backends import ImageFormat
from snncc_loihi.assembler import assemble
from snncc_loihi.binary import MAGIC, read_map
from snncc_loihi.differences import map_differences
from snncc_loihi.listing import disassemble


class MapFormat(ImageFormat):
    """Core maps of target loihi."""

    magic = MAGIC
    keyword = "loihi"
    path = "loihi/map.bin"

    def disassemble(self, content: bytes, place: str) -> str:
        return disassemble(read_map(content, place))

    def assemble(self, text: str, place: str) -> bytes:
        return assemble(text, place)

    def differences(self, first: bytes, second: bytes, places: tuple[str, str]) -> list[str]:
        ours, theirs = read_map(first, places[0]), read_map(second, places[1])
        return list(map_differences(ours, theirs))
