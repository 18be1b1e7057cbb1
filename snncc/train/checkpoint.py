"""A file from which training goes on: everything that the next epoch depends on."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch

from snncc.files import write_whole
from snncc_ir import fail, why

FORMAT = 1
ANEW = "another file, or delete this one to begin anew"


class Part(Protocol):
    """A module, an optimizer, a schedule, a gradient scaler."""

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state_dict: dict[str, Any], /) -> object: ...


class Checkpoint:
    """One file of one run. run: arguments that have to be the same when it goes on.

    It is read with torch's loader of weights only, so that nothing in it is executed.
    """

    def __init__(self, path: Path, run: Mapping[str, int]) -> None:
        """Reads the file if it is there; raises SNN030 when it is damaged or of another run."""
        self._path, self._run = path, dict(run)
        self._found = self._read() if path.exists() else {}
        was = self._found.get("run", self._run)
        if was != self._run:
            raise fail(
                "SNN030",
                f"the checkpoint is of a run with {_words(was)}, should be {_words(self._run)}",
                str(path),
                ANEW,
            )

    def history(self) -> list[dict[str, Any]]:
        """Of the epochs that are done; empty where there is no file yet."""
        return list(self._found.get("history", []))

    def restore(self, parts: Mapping[str, Part]) -> None:
        """Gives all parts their state; raises SNN030 when they are of another network."""
        for name, part in parts.items():
            try:
                part.load_state_dict(self._found["parts"][name])
            except (KeyError, ValueError, RuntimeError) as error:
                raise fail(
                    "SNN030",
                    f"the checkpoint's {name} does not fit: {why(error)}",
                    str(self._path),
                    ANEW,
                ) from None

    def write(self, parts: Mapping[str, Part], history: list[dict[str, Any]]) -> None:
        """Replaces the file as a whole; raises SNN050 when the disk refuses."""
        content = io.BytesIO()
        states = {name: part.state_dict() for name, part in parts.items()}
        state = {"format": FORMAT, "run": self._run, "history": history, "parts": states}
        torch.save(state, content)
        write_whole(self._path, content.getvalue())

    def _read(self) -> dict[str, Any]:
        try:
            found = torch.load(self._path, map_location="cpu", weights_only=True)
            if not isinstance(found, dict) or found.get("format") != FORMAT:
                raise ValueError("it is no checkpoint of snncc.train")
            return found
        except Exception as error:  # torch, zipfile and pickle raise a dozen classes
            raise fail(
                "SNN030",
                f"the checkpoint cannot be read: {why(error)}",
                str(self._path),
                ANEW,
            ) from None


def _words(run: object) -> str:
    return (
        ", ".join(f"{key} {value}" for key, value in run.items()) if isinstance(run, dict) else "?"
    )
