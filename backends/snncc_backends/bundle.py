"""The bundle on disk: written beside its place and renamed, checked before a byte is trusted.

    manifest.json   network.sir   network.safetensors   vectors/   report.json   the target's files

Same input, same bytes: there is no time, path, user or thread count in it.
"""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

from snncc_backends.preprocess import Preprocessing
from snncc_ir import INTEGER, Array, Graph, SnnccError, check, fail, parse_graph, unpack, why

FORMAT = 1
MANIFEST = "manifest.json"
NETWORK = "network.sir"
TENSORS = "network.safetensors"
REPORT = "report.json"
VECTORS = "vectors/vectors.safetensors"

Json = Mapping[str, object]


def to_json(value: object) -> bytes:
    """Readable JSON, keys in the order in which they were given."""
    return (json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def digest(content: bytes) -> str:
    """SHA-256, hexadecimal."""
    return sha256(content).hexdigest()


def write_bundle(
    folder: Path, manifest: Json, files: Mapping[str, bytes], force: bool = False
) -> None:
    """Writes a bundle: all of it or nothing.

    An existing folder is replaced only with `force`, and only when it is a bundle; raises SNN050
    otherwise, and when the disk refuses.
    """
    folder = Path(os.path.abspath(folder))
    check_place(folder, force)
    hashes = {path: digest(files[path]) for path in sorted(files)}
    content = {**files, MANIFEST: to_json({"format": FORMAT, **manifest, "files": hashes})}
    write_folder(folder, content, "the bundle")


def write_folder(folder: Path, content: Mapping[str, bytes], what: str) -> None:
    """Writes files by relative path (with `/`): all of them, or nothing; replaces what is there.

    Raises SNN050 when the disk refuses. what: the folder's name in the message.
    """
    folder = Path(os.path.abspath(folder))
    partial: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        partial.chmod(0o755)
        for path in sorted(content):
            target = partial / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content[path])
        _replace(folder, partial)
    except OSError as error:
        raise fail(
            "SNN050",
            f"{what} cannot be written: {why(error)}",
            str(folder),
            "another folder with -o, where you may write, or free some space; nothing was changed",
        ) from None
    finally:
        if partial is not None:
            shutil.rmtree(partial, ignore_errors=True)


def check_place(folder: Path, force: bool) -> None:
    """Raises SNN050 when a bundle may not be written to `folder`."""
    if not os.path.lexists(folder):
        return
    if not folder.is_dir():
        raise fail(
            "SNN050",
            "the output is a file, should be a folder",
            str(folder),
            "another name with -o; files are never replaced by bundles",
        )
    if any(folder.iterdir()):
        if not (folder / MANIFEST).is_file():
            raise fail(
                "SNN050",
                "the output folder exists and is no bundle, so it is left alone",
                str(folder),
                "another folder with -o, or an empty one",
            )
        if not force:
            raise fail(
                "SNN050",
                "the output folder holds a bundle already",
                str(folder),
                "--force to replace it, or another folder with -o",
            )


def _replace(folder: Path, partial: Path) -> None:
    """Puts `partial` at `folder`; a bundle that was there comes back if that fails."""
    if not folder.exists():
        partial.rename(folder)
        return
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent)) / "old"
    try:
        folder.rename(old)
        try:
            partial.rename(folder)
        except OSError:
            old.rename(folder)
            raise
    finally:
        shutil.rmtree(old.parent, ignore_errors=True)


@dataclass(frozen=True)
class BundleFolder:
    """A bundle on disk whose files have the hashes of its manifest."""

    folder: Path
    manifest: Json

    @staticmethod
    def read(folder: Path) -> "BundleFolder":
        """Reads and checks a bundle; raises SNN051 for anything that does not fit."""
        path = folder / MANIFEST
        if not folder.is_dir():
            what = "is a file, should be a folder" if folder.exists() else "does not exist"
            hint = "the folder that was given as -o when the network was compiled"
            raise _broken(folder, f"the bundle {what}", hint)
        try:
            manifest = json.loads(path.read_bytes())
        except FileNotFoundError:
            raise _broken(
                folder,
                f"{MANIFEST} is missing, so this is no bundle",
                "the folder that was given as -o when the network was compiled",
            ) from None
        except (OSError, ValueError, RecursionError) as error:
            raise _broken(folder, f"{MANIFEST} cannot be read: {why(error)}") from None
        if not isinstance(manifest, dict) or not isinstance(manifest.get("files"), dict):
            raise _broken(folder, f"{MANIFEST} is no manifest, should be an object with 'files'")
        if manifest.get("format") != FORMAT:
            found = manifest.get("format")
            hint = "the version of snncc that made it, or compile the bundle anew"
            raise _broken(folder, f"the format is {found}, should be {FORMAT}", hint)
        bundle = BundleFolder(folder, manifest)
        for name, expected in manifest["files"].items():
            if digest(bundle.file(str(name))) != expected:
                raise _broken(folder, f"{name} is not what the manifest says")
        return bundle

    def file(self, name: str) -> bytes:
        """Content of one file; the name has to lie inside the bundle."""
        parts = Path(name).parts
        if not parts or Path(name).is_absolute() or ".." in parts:
            raise _broken(self.folder, f"the manifest names '{name}', outside of the bundle")
        try:
            return (self.folder / name).read_bytes()
        except OSError as error:
            raise _broken(self.folder, f"{name} cannot be read: {why(error)}") from None

    def text(self, key: str) -> str:
        """A text entry of the manifest."""
        value = self.manifest.get(key)
        if not isinstance(value, str):
            raise _broken(self.folder, f"the manifest has no text '{key}'")
        return value

    def table(self, key: str) -> Json:
        """An object entry of the manifest."""
        value = self.manifest.get(key)
        if not isinstance(value, dict):
            raise _broken(self.folder, f"the manifest has no object '{key}'")
        return value

    @cached_property
    def graph(self) -> Graph:
        """The network in its final normal form."""
        try:
            text, tensors = self.file(NETWORK).decode(), unpack(self.file(TENSORS), TENSORS)
            graph = parse_graph(text, tensors, NETWORK)
            check(graph, INTEGER)
            return graph
        except (SnnccError, UnicodeDecodeError) as error:
            found = error.diagnostics[0].message if isinstance(error, SnnccError) else why(error)
            raise _broken(self.folder, f"{NETWORK} does not fit: {found}") from None

    def json(self, name: str) -> object:
        """Content of a JSON file."""
        try:
            found: object = json.loads(self.file(name))
        except (ValueError, RecursionError) as error:
            raise _broken(self.folder, f"{name} is no JSON: {why(error)}") from None
        return found

    def tensors(self, name: str) -> dict[str, Array]:
        """Content of a .safetensors file."""
        try:
            return unpack(self.file(name), name)
        except SnnccError as error:
            found = error.diagnostics[0].message
            raise _broken(self.folder, f"{name} does not fit: {found}") from None

    @cached_property
    def preprocessing(self) -> Preprocessing:
        """From the numbers of data files to the network's."""
        return Preprocessing.from_json(self.table("preprocessing"))


def _broken(folder: Path, message: str, hint: str = "compile the network anew") -> SnnccError:
    return fail("SNN051", message, str(folder), hint)
