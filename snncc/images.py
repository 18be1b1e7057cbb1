"""Binary images of chips: which target's they are, as text and back, and what differs."""

from pathlib import Path

from snncc_backends import BundleFolder, ImageFormat, image_formats
from snncc_ir import fail


def read_bytes(path: Path) -> bytes:
    """Content of an image file; raises SNN060 when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise fail("SNN060", f"the image cannot be read: {error.strerror}", str(path)) from None


def find_image(path: Path) -> tuple[ImageFormat, bytes, str]:
    """The image at `path`, or in the bundle there: its format, its bytes, its place.

    Raises SNN060 when no target knows it.
    """
    if path.is_dir():
        bundle = BundleFolder.read(path)
        for image in image_formats():
            if image.path in bundle.table("files"):
                return image, bundle.file(image.path), str(path / image.path)
        raise fail("SNN060", "the bundle has no image", str(path), "its target has other files")
    content = read_bytes(path)
    known = format_of(content)
    if known is None:
        raise fail("SNN060", "the file is no image of any target", str(path))
    return known, content, str(path)


def format_of(content: bytes) -> ImageFormat | None:
    """The format whose magic the content begins with."""
    return next((f for f in image_formats() if content.startswith(f.magic)), None)


def assemble(path: Path) -> bytes:
    """The image of a text file; raises SNN061."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise fail("SNN061", f"the text cannot be read: {error}", str(path)) from None
    word = next(iter(text.split()), "")
    for image in image_formats():
        if word == image.keyword:
            return image.assemble(text, str(path))
    known = ", ".join(image.keyword for image in image_formats())
    raise fail("SNN061", f"the text begins with '{word[:20]}', should with {known}", str(path))
