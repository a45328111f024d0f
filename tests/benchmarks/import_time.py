"""How long `import crmcore` takes over a bare start of Python.

Run it with the Python that has crmcore: ``python tests/benchmarks/import_time.py``. The budget is 120 ms; the ratio to
a bare start is what can be compared between machines.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

BUDGET = 0.120
ROUNDS = 15


def start(program: str) -> float:
    """Seconds from starting a Python until it has run *program* and ended."""
    begin = time.perf_counter()
    subprocess.run([sys.executable, "-c", program], check=True)
    return time.perf_counter() - begin


def main() -> int:
    bare, full = [], []
    for _ in range(ROUNDS):  # in turn, so that a busy moment hits both
        bare.append(start("pass"))
        full.append(start("import crmcore"))
    of_bare, of_full = statistics.median(bare), statistics.median(full)
    over = of_full - of_bare
    print(f"bare start       {of_bare * 1000:6.1f} ms")
    print(
        f"import crmcore  +{over * 1000:6.1f} ms   {of_full / of_bare:.1f} x bare   budget {BUDGET * 1000:.0f} ms"
    )
    return 0 if over <= BUDGET else 1


if __name__ == "__main__":
    sys.exit(main())
