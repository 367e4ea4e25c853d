"""Write prometheus.yaml beside this file: that of deploy/prometheus, with the addresses that containers have.

python deploy/compose/generate.py            writes it
python deploy/compose/generate.py --check    fails if it differs
"""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ORIGINAL = HERE.parent / "prometheus/prometheus.yaml"
TARGET = HERE / "prometheus.yaml"
MADE = "# Made by generate.py beside this file, from deploy/prometheus/prometheus.yaml.\n"
ADDRESSES = {"127.0.0.1:9093": "alertmanager:9093", "127.0.0.1:8888": "collector:8888"}


def made() -> str:
    """Return the file.

    Raises:
        SystemExit: if an address is not in the original: containers would not find each other.
    """
    text = ORIGINAL.read_text(encoding="utf-8")
    for address, container in ADDRESSES.items():
        if address not in text:
            sys.exit(f"{ORIGINAL.name} no longer has {address}.")
        text = text.replace(address, container)
    return MADE + text


def main(*options: str) -> int:
    """Write or compare; return the exit status."""
    if "--check" not in options:
        TARGET.write_text(made(), encoding="utf-8")
    elif made() != TARGET.read_text(encoding="utf-8"):
        print("deploy/compose/prometheus.yaml differs: python deploy/compose/generate.py writes it", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
