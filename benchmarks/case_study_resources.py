"""How long the demo takes and how much memory all its processes hold together.

    .venv/bin/python benchmarks/case_study_resources.py

The sum of the processes' private memory and of what they share counts once each where the system tells
them apart (proportional set size).
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parents[1]
LIMIT_SECONDS, LIMIT_BYTES = 90.0, 1.5e9


def held(process: psutil.Process) -> int:
    """Bytes held by a process and everything it started."""
    total = 0
    for member in (process, *process.children(recursive=True)):
        try:
            total += member.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
    return total


def main() -> None:
    """Run the demo once and print both figures with their limits."""
    with tempfile.TemporaryDirectory() as place:
        arguments = ["--exit", "--port", "0", "--fleet", f"{place}/fleet", "--out", f"{place}/out"]
        begun, peak = time.monotonic(), 0
        process = psutil.Popen([sys.executable, "-m", "voltwin", "demo", *arguments])
        while process.poll() is None:
            peak = max(peak, held(process))
            time.sleep(0.5)
        seconds = time.monotonic() - begun
    print(f"demo, 181 modules: {seconds:.1f} s (limit {LIMIT_SECONDS:.0f})")
    print(f"peak of all its processes: {peak / 1e6:.0f} MB (limit {LIMIT_BYTES / 1e6:.0f})")
    print(f"load of this machine over the last minute: {psutil.getloadavg()[0]:.1f} on {psutil.cpu_count()} cores")
    if process.returncode or seconds > LIMIT_SECONDS or peak > LIMIT_BYTES:
        sys.exit("the demo failed or is over a limit")


if __name__ == "__main__":
    main()
