"""The margin of early exit at compile time: from runs of the files that were just made."""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

from snncc.bundle import Bundle
from snncc.data import Dataset
from snncc.early_exit import Choice
from snncc.event_data import EventDataset
from snncc_backends import write_bundle
from snncc_ir import fail


def chosen_exit(
    manifest: Mapping[str, object],
    files: Mapping[str, bytes],
    data: Dataset | EventDataset | None,
    points: float,
    progress: Callable[[str, int, int], None],
) -> Choice:
    """The margin at which samples end early; `manifest` and `files` are those of the bundle.

    Raises SNN053 without calibration data, or for a network whose samples cannot end early.
    """
    if data is None:
        raise fail(
            "SNN053",
            "early_exit_loss is given without calibration data",
            hint="give training images with --calib FILE.npz",
        )
    done = 0

    def step(count: int) -> None:
        nonlocal done
        done += count
        progress("early exit", done, data.count)

    with tempfile.TemporaryDirectory(prefix="snncc-") as folder:
        write_bundle(Path(folder) / "bundle", manifest, files)
        return Bundle.load(Path(folder) / "bundle").choose_early_exit(data, points, progress=step)
