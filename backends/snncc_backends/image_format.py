"""Binary images of chips, for people."""

from abc import ABC, abstractmethod
from typing import ClassVar


class ImageFormat(ABC):
    """How a chip's binary image is taken apart, for people and for diffs."""

    magic: ClassVar[bytes]
    """First bytes of every image."""
    keyword: ClassVar[str]
    """First word of every text."""
    path: ClassVar[str]
    """Where the image is in a bundle."""

    @abstractmethod
    def disassemble(self, content: bytes, place: str) -> str:
        """The image as text; raises SNN060 for one that is damaged. place: for errors."""

    @abstractmethod
    def assemble(self, text: str, place: str) -> bytes:
        """`assemble(disassemble(image)) == image`; raises SNN061 for text that does not fit."""

    @abstractmethod
    def differences(self, first: bytes, second: bytes, places: tuple[str, str]) -> list[str]:
        """In words, by layer and field; raises SNN060."""
