"""Binary images of chips: which target's they are, as text and back, and what differs."""

from pathlib import Path

from snncc_backends import BundleFolder, ImageFormat, image_formats
from snncc_ir import fail, why

_DISASM = "a text as `snncc disasm IMAGE` prints it"


def read_bytes(path: Path) -> bytes:
    """Content of an image file; raises SNN060 when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise fail(
            "SNN060",
            f"the image cannot be read: {why(error)}",
            str(path),
            "a bundle's folder, or the path of an image in it",
        ) from None


def find_image(path: Path) -> tuple[ImageFormat, bytes, str]:
    """The image at `path`, or in the bundle there: its format, its bytes, its place.

    Raises SNN060 when no target knows it.
    """
    if path.is_dir():
        bundle = BundleFolder.read(path)
        for image in image_formats():
            if image.path in bundle.table("files"):
                return image, bundle.file(image.path), str(path / image.path)
        raise fail(
            "SNN060",
            "the bundle has no image",
            str(path),
            f"a bundle of target {' or '.join(f.keyword for f in image_formats())}",
        )
    content = read_bytes(path)
    known = format_of(content)
    if known is None:
        raise fail(
            "SNN060",
            "the file is no image of any target: it begins with other bytes",
            str(path),
            "the bundle's folder, or ttfs28/image.bin or loihi/map.bin in it",
        )
    return known, content, str(path)


def format_of(content: bytes) -> ImageFormat | None:
    """The format whose magic the content begins with."""
    return next((f for f in image_formats() if content.startswith(f.magic)), None)


def assemble(path: Path) -> bytes:
    """The image of a text file; raises SNN061."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise fail("SNN061", f"the text cannot be read: {why(error)}", str(path), _DISASM) from None
    word = next(iter(text.split()), "")
    for image in image_formats():
        if word == image.keyword:
            return image.assemble(text, str(path))
    known = " or ".join(image.keyword for image in image_formats())
    raise fail(
        "SNN061",
        f"the text begins with '{word[:20]}', should begin with {known}",
        str(path),
        _DISASM,
    )
