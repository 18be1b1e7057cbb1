"""Reconstruction error of the MLPerf Tiny autoencoder as a spiking network, against the float one.

    python benchmarks/autoencoder.py MODELS/ [--steps 32]

The recordings that the network was trained on are not at hand, so its inputs are made by seed, of
two kinds: `noise`, normally distributed numbers; `spectra`, what log-mel spectra in decibels look
like: five frames of 128 bands, smooth over bands and nearly the same over frames, about −30 ± 10.
Networks are calibrated on other samples of the same kind than they are measured on.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import snncc
from snncc_ir import session

FRAMES, BANDS = 5, 128
CALIBRATION, TEST = 512, 512


def samples(kind: str, count: int, seed: int) -> NDArray[np.float32]:
    """(count, 640) float32."""
    random = np.random.default_rng(seed)
    if kind == "noise":
        return random.standard_normal((count, FRAMES * BANDS)).astype(np.float32)
    bands = np.arange(BANDS) / BANDS
    slope, waves = random.normal(-8, 4, (count, 1)), random.normal(0, 3, (count, 6))
    phase = 2 * np.pi * random.random((count, 6))
    order = np.arange(1, 7)[None, :, None]
    curve = (waves[..., None] * np.cos(2 * np.pi * order * bands + phase[..., None])).sum(axis=1)
    spectrum = -30 + slope * bands + curve
    frames = spectrum[:, None] + random.normal(0, 2, (count, FRAMES, BANDS))
    return np.asarray(frames.reshape(count, -1), np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("models", type=Path)
    parser.add_argument("--steps", type=int, default=32)
    arguments = parser.parse_args()
    model = arguments.models / "mlperf_tiny_ad01.onnx"
    running = session(str(model))
    print("| inputs | neuron | float error | spiking error | more by |")
    print("|---|---|---|---|---|")
    for kind in ("noise", "spectra"):
        test = samples(kind, TEST, 2)
        for neuron in ("if", "signed-if", "graded"):
            bundle = snncc.compile(
                model,
                calibration=samples(kind, CALIBRATION, 1),
                steps=arguments.steps,
                neuron=neuron,
            )
            expected = running.run(None, {running.get_inputs()[0].name: test})[0]
            found = next(iter(bundle.run(snncc.Dataset({"x": test})).outputs().values()))
            errors = [float(np.square(result - test).mean()) for result in (expected, found)]
            more = 100 * (errors[1] / errors[0] - 1)
            print(f"| {kind} | {neuron} | {errors[0]:.4f} | {errors[1]:.4f} | {more:.2f} % |")


if __name__ == "__main__":
    main()
