"""What the worst texts that we could think of cost each rule: milliseconds for 1 MB, and how much more for twice as much.

A rule is linear if twice the text takes about twice the time. Own patterns are looked at in windows, so that for them the longest
time between two looks at the clock counts as well: what `redact_timeout` says is exceeded by that at most.

    tox -e bench -- benchmarks/redaction.py
"""

from __future__ import annotations

from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING

from opentelemetry_instrumentation_genai._decoded import Decoded
from opentelemetry_instrumentation_genai._patterns import _own
from opentelemetry_instrumentation_genai._rule import redacted
from opentelemetry_instrumentation_genai._rules import RULES

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE = 1 << 20
# Beginnings without an end, ends without a beginning, and what two readings could share.
PIECES = (
    "a", "1", "@", ".", "-", ":", " ", "a.", "a@", "a@a.", "1.", "1 ", "1-", "f:", "::", "key=", "key:'a", "token ", "\\n",
    "Bearer ", "Bearer a ", "Authorization: ", "sk-", "sk-a", "sk_aaaaaaaaaaaa ", "SG.", "SG.aaaaaaaaaaaaaaaa.", "AIza", "ABSK",
    "eyJ", "eyJaaaa.", "eyJaaaa.aaa ", "AKIA", "DE89", "DE89 3704 ", "GB00AAAA", "4111 ", "4111111111111112 ", "0 ", "+1", "+1 (",
    "(030) ", "00", "1 (415) ", "://", "://a:", "://a:@", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY----------END ", "secret_key=", "a'", "é",
)  # fmt: skip
OWN = (r"a = a+b", r"a = a+a+b", r"a = a+a+a+b", r"a = \w+@\w+\.com", r"a = a{1,8}(?:b|c|d|e)a+f", r"a = a+a{200}b")


def main() -> None:
    """Print the worst text of each rule, and of own patterns."""
    print(f"{'rule':<14}{'worst text':<40}{'ms for 1 MB':>12}{'for twice':>10}")
    for name, rules in RULES.items():
        for rule in rules:
            step = partial(redacted, (rule,))
            costs = {piece: _milliseconds(step, piece, SIZE) for piece in PIECES}
            print(_row(name, step, max(PIECES, key=costs.__getitem__)))
    print(_row("(escapes)", Decoded, r"\n"))
    print(f"\n{'own pattern':<30}{'window':>8}{'ms for a window of a':>22}")
    for line in OWN:
        own = _own(line)
        text = "a" * own.window
        begin = perf_counter()
        list(own.found(text))
        print(f"{line[4:]:<30}{own.window:>8}{(perf_counter() - begin) * 1000:>22.0f}")


def _row(name: str, redacted: Callable[[str], object], piece: str) -> str:
    once, twice = _milliseconds(redacted, piece, SIZE), _milliseconds(redacted, piece, 2 * SIZE)
    return f"{name:<14}{piece!r:<40}{once:>12.0f}{twice / once:>10.1f}"


def _milliseconds(redacted: Callable[[str], object], piece: str, size: int) -> float:
    text = piece * (size // len(piece))
    begin = perf_counter()
    redacted(text)
    return (perf_counter() - begin) * 1000


if __name__ == "__main__":
    main()
