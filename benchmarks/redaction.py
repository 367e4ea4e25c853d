"""How much the rules find, how much they change that is harmless, and what the worst texts that we could think of cost.

Recall is measured on the corpus of the tests, in all places that a kind can stand in: of the part that the rules were developed on,
and of the held-out part. A rule is linear if twice the text takes about twice the time. Own patterns are looked at in windows, so that
for them the longest time between two looks at the clock counts as well: what `redact_timeout` says is exceeded by that at most.

    tox -e bench -- benchmarks/redaction.py

Where `detect-secrets`, `phonenumbers` or `python-stdnum` are installed, they are measured in the same way.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import TYPE_CHECKING

from redaction_libraries import libraries

from opentelemetry_instrumentation_genai._content.patterns import _own
from opentelemetry_instrumentation_genai._masking.decoded import Decoded
from opentelemetry_instrumentation_genai._masking.rule import Rule, redacted
from opentelemetry_instrumentation_genai._masking.rules import RULES

sys.path.append(str(Path(__file__).parents[1] / "tests" / "support"))
from corpus import GROUPS, KINDS, found, harmless, is_held_out, samples

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

ALL = tuple(rule for rules in RULES.values() for rule in rules)
EACH = 6  # samples of a kind in each place
SIZE = 1 << 20
# Beginnings without an end, ends without a beginning, and what two readings could share.
PIECES = (
    "a", "1", "@", ".", "-", ":", " ", "a.", "a@", "a@a.", "1.", "1 ", "1-", "f:", "::", "key=", "key:'a", "token ", "\\n", "\\\\", "\u200b",
    "Bearer ", "Bearer a ", "Authorization: ", "sk-", "sk-a", "sk_aaaaaaaaaaaa ", "SG.", "SG.aaaaaaaaaaaaaaaa.", "AIza", "ABSK",
    "eyJ", "eyJaaaa.", "eyJaaaa.aaa ", "AKIA", "DE89", "DE89 3704 ", "GB00AAAA", "4111 ", "4111111111111112 ", "0 ", "+1", "+1 (",
    "(030) ", "00", "1 (415) ", "://", "://a:", "://a:@", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY----------END ",
    "secret_key=", "a'", "é", "password=", "aKey=", "key1=a1", "pass|", "|password|\n", "a,key\n", "password='", "login a password ",
    "pwd=&a=", "Cookie: a=aaaaaaaaaaaaaaaa1;", "curl -u a:", "tel 1234567 ", "1.1.1.1, ", "version 1.1.1.1 to ", '"a"@', "Private-Lines: 1\n",
)  # fmt: skip
OWN = (r"a = a+b", r"a = a+a+b", r"a = a+a+a+b", r"a = \w+@\w+\.com", r"a = a{1,8}(?:b|c|d|e)a+f", r"a = a+a{200}b")


def main() -> None:
    """Print what is found, what is changed, and what it costs."""
    _print_recall()
    _print_harmless()
    _print_libraries()
    _print_worst()
    _print_own()


def _print_recall() -> None:
    text = partial(redacted, ALL)
    print(f"{'group':<44}{'kinds':>6}{'development':>13}{'held out':>10}{'worst kind':>12}")
    for group, kinds in GROUPS.items():
        shares: dict[bool, list[bool]] = defaultdict(list)
        worst = 1.0
        for kind in kinds:
            seen = [(sample, found(sample, text(sample.text))) for sample in samples(kind, each=EACH)]
            for sample, is_found in seen:
                shares[is_held_out(kind, sample.context)].append(is_found)
            worst = min(worst, sum(is_found for _, is_found in seen) / len(seen))
        print(f"{group:<44}{len(kinds):>6}{_share(shares[False]):>13}{_share(shares[True]):>10}{worst:>12.1%}")


def _share(seen: list[bool]) -> str:
    return f"{sum(seen) / len(seen):.1%}" if seen else "-"


def _print_harmless() -> None:
    text = partial(redacted, ALL)
    print(f"\n{'harmless texts':<44}{'texts':>6}{'changed':>13}")
    for held_out in (False, True):
        texts = harmless(held_out=held_out)
        changed = sum(text(each) != each for each in texts) / len(texts)
        print(f"{'held out' if held_out else 'development':<44}{len(texts):>6}{changed:>13.1%}")


def _print_libraries() -> None:
    """The rules, and each library that is there, on what it is for."""
    print(f"\n{'':<44}{'recall':>8}{'kinds >= 95 %':>15}{'harmless changed':>18}{'ns a character':>16}")
    for rules in (("private_key", "jwt", "aws_key", "secrets"), ("phone",), ("iban",), ("credit_card",)):
        own = partial(redacted, tuple(rule for name in rules for rule in RULES[name]))
        kinds = [kind for kind, rule in KINDS.items() if rule in rules]
        print(_measured(f"rules {', '.join(rules)}", own, kinds))
        for name, redact in libraries(rules[-1]):
            print(_measured(name, redact, kinds))


def _measured(name: str, redact: Callable[[str], str], kinds: Iterable[str]) -> str:
    shares = []
    for kind in kinds:
        seen = [found(sample, redact(sample.text)) for sample in samples(kind)]
        shares.append(sum(seen) / len(seen))
    texts = [text for held_out in (False, True) for text in harmless(held_out=held_out)]
    begin = process_time()
    changed = sum(redact(text) != text for text in texts) / len(texts)
    cost = (process_time() - begin) / sum(map(len, texts)) * 1e9
    good = f"{sum(share >= 0.95 for share in shares)} of {len(shares)}"
    return f"{name:<44}{sum(shares) / len(shares):>8.1%}{good:>15}{changed:>18.1%}{cost:>16.0f}"


def _print_worst() -> None:
    print(f"\n{'rule':<14}{'worst text':<40}{'ms for 1 MB':>12}{'for twice':>10}")
    for name, rules in RULES.items():
        for rule in rules:
            step = partial(_find, rule)
            costs = {piece: _milliseconds(step, piece, SIZE >> 3) for piece in PIECES}
            print(_row(name, step, max(PIECES, key=costs.__getitem__)))
    print(_row("(escapes)", Decoded, r"\n"))


def _find(rule: Rule, text: str) -> None:
    if rule.hint(text):
        list(rule.find(text))


def _print_own() -> None:
    print(f"\n{'own pattern':<30}{'window':>8}{'ms for a window of a':>22}")
    for line in OWN:
        own = _own(line)
        text = "a" * own.window
        begin = perf_counter()
        list(own.found(text))
        print(f"{line[4:]:<30}{own.window:>8}{(perf_counter() - begin) * 1000:>22.0f}")


def _row(name: str, step: Callable[[str], object], piece: str) -> str:
    once, twice = _milliseconds(step, piece, SIZE), _milliseconds(step, piece, 2 * SIZE)
    return f"{name:<14}{piece!r:<40}{once:>12.0f}{twice / once:>10.1f}"


def _milliseconds(step: Callable[[str], object], piece: str, size: int) -> float:
    text = piece * (size // len(piece))
    if step is not Decoded:
        text = Decoded(text).plain
    begin = process_time()
    step(text)
    return (process_time() - begin) * 1000


if __name__ == "__main__":
    main()
