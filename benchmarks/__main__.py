"""What instrumentation costs besides the price of a call: memory, event loop, start of a process, hostile texts, long streams.

    tox -e bench                 all of them
    tox -e bench -- benchmarks/memory.py

Each prints what it measured. Figures of one machine compare with figures of the same run only.
"""

from __future__ import annotations

import runpy
from pathlib import Path

for name in ("memory", "blocking", "startup", "redaction", "accumulators"):
    print(f"--- {name}", flush=True)
    runpy.run_path(str(Path(__file__).with_name(f"{name}.py")), run_name="__main__")
