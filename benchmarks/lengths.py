"""What long values from outside cost: milliseconds, and how much more for twice as much.

Messages of errors and names are cut before anything looks at them, and long base64 is not decoded: from some length on they cost
the same. What is decoded costs in proportion to its length.

    tox -e bench -- benchmarks/lengths.py
"""

from __future__ import annotations

from base64 import b64encode
from time import process_time
from typing import TYPE_CHECKING

from opentelemetry_instrumentation_genai._adapter.fields import string
from opentelemetry_instrumentation_genai._adapter.parts import attached, text
from opentelemetry_instrumentation_genai._content.budget import Budget
from opentelemetry_instrumentation_genai._content.pipeline import Pipeline
from opentelemetry_instrumentation_genai._content.redaction import redaction
from opentelemetry_instrumentation_genai._masking.masking import masked

if TYPE_CHECKING:
    from collections.abc import Callable

KEY = "sk-proj-0123456789abcdefABCDEF"
MIB = 1 << 20
ECHOES = ("*a", f"{KEY[:8]}*", "a", "eyJ", "a@", "key=", "1 ", "é")


def main() -> None:
    """Print a row for each."""
    print(f"{'':<52}{'bytes':>12}{'ms':>8}{'for twice':>11}")
    for unit in ECHOES:
        _print(f"message of an error, {unit!r} over and over", lambda size, unit=unit: _error(unit, size), 5 * MIB)
    _print("finish reason, model, tool name", lambda size: (string, "*é" * (size // 3)), MIB)
    for size in (2 * MIB, 15 * MIB):
        _print("image in base64", _image, size)
    _print("text with all rules and the default budget", _text, 4 * MIB)


def _error(unit: str, size: int) -> tuple[Callable[[str], object], str]:
    return lambda message: masked(message, [KEY]), unit * (size // len(unit))


def _image(size: int) -> tuple[Callable[[str], object], str]:
    return lambda data: attached("image", data=data), b64encode(bytes(size)).decode()


def _text(size: int) -> tuple[Callable[[str], object], str]:
    pipeline = Pipeline(redaction(["all"]), Budget(1 << 16, 1 << 16))

    def tell(content: str) -> object:
        return pipeline.render(
            {"gen_ai.input.messages": [{"role": "user", "parts": [text(content)]}]}, pipeline.begin()
        )

    return tell, "some words " * (size // 11)


def _print(name: str, make: Callable[[int], tuple[Callable[[str], object], str]], size: int) -> None:
    once, twice = _milliseconds(*make(size)), _milliseconds(*make(2 * size))
    print(f"{name:<52}{size:>12,}{once:>8.1f}{twice / max(once, 1e-3):>11.1f}")


def _milliseconds(step: Callable[[str], object], value: str) -> float:
    step(value)  # patterns are compiled at the first time
    best = float("inf")
    for _ in range(5):
        begin = process_time()
        step(value)
        best = min(best, process_time() - begin)
    return best * 1000


if __name__ == "__main__":
    main()
