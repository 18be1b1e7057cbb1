"""Writes small.aedat4 beside this file: four events of a sensor of 10 × 8 pixels.

pip install dv-processing
python make.py
"""

from pathlib import Path

import dv_processing as dv

EVENTS = ((1000, 0, 0, True), (1500, 3, 2, False), (1500, 4, 1, True), (9000, 9, 7, False))
"""t, x, y, and whether the pixel became brighter."""


def main() -> None:
    """Writes the recording."""
    events = dv.EventStore()
    for t, x, y, p in EVENTS:
        events.push_back(t, x, y, p)
    config = dv.io.MonoCameraWriter.Config("camera")
    config.addEventStream((10, 8))
    path = Path(__file__).parent / "small.aedat4"
    dv.io.MonoCameraWriter(str(path), config).writeEvents(events)


if __name__ == "__main__":
    main()
