"""The image format as `snncc disasm`, `asm` and `diff` know it."""

from snncc_backends import ImageFormat
from snncc_ttfs28.differences import image_differences
from snncc_ttfs28.image import MAGIC
from snncc_ttfs28.reader import read_image
from snncc_ttfs28.text import assemble, disassemble


class Ttfs28Format(ImageFormat):
    """Images of target ttfs28."""

    magic = MAGIC
    keyword = "ttfs28"
    path = "ttfs28/image.bin"

    def disassemble(self, content: bytes, place: str) -> str:
        return disassemble(read_image(content, place))

    def assemble(self, text: str, place: str) -> bytes:
        return assemble(text, place)

    def differences(self, first: bytes, second: bytes, places: tuple[str, str]) -> list[str]:
        ours, theirs = read_image(first, places[0]), read_image(second, places[1])
        return list(image_differences(ours, theirs))
