"""What stands beside every figure: the processor, its vector instructions, compiler, libraries."""

import os
import platform
from pathlib import Path

import numpy as np
import onnxruntime

from benchmarks.simulator import compiler_version
from snncc_ir import cores

VECTORS = ("avx2", "avx512bw", "avx512_vnni", "avx_vnni", "asimd", "sve")


def _processor() -> dict[str, str]:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    fields = (line.partition(":") for line in lines)
    return {name.strip(): value.strip() for name, _, value in fields}


def machine() -> dict[str, object]:
    """No name of the machine and no date: what of it makes a figure larger or smaller."""
    found = _processor()
    flags = found.get("flags", found.get("Features", "")).split()
    return {
        "processor": found.get("model name", platform.processor() or platform.machine()),
        "family": found.get("cpu family", ""),
        "cores": cores(),
        "vectors": [name for name in VECTORS if name in flags],
        "caches": caches(),
        "compiler": compiler_version(),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "onnxruntime": str(onnxruntime.__version__),
        "load": round(os.getloadavg()[0], 2),
    }


def caches() -> dict[str, int]:
    """Bytes of the data caches that the first core sees, by level: L1, L2, L3."""
    sizes: dict[str, int] = {}
    for folder in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        kind, level, size = (
            (folder / name).read_text().strip() for name in ("type", "level", "size")
        )
        if kind != "Instruction":
            sizes[f"L{level}"] = int(size.rstrip("KM")) * (1 << (20 if size.endswith("M") else 10))
    return sizes


def words(found: dict[str, object]) -> str:
    """One line for people."""
    vectors = found["vectors"]
    listed = ", ".join(map(str, vectors)) if isinstance(vectors, list) else ""
    return (
        f"{found['processor']} (family {found['family']}; {listed}), {found['cores']} cores, "
        f"{found['compiler']}, onnxruntime {found['onnxruntime']}"
    )
