"""Texts with no secret and no personal data in them, which look like some: written ones, and generated ones around them."""

from __future__ import annotations

import string
from base64 import b64encode
from datetime import datetime, timedelta, timezone
from pathlib import Path
from random import Random
from uuid import UUID

_WORDS = [
    "the",
    "order",
    "report",
    "was",
    "sent",
    "to",
    "store",
    "before",
    "noon",
    "and",
    "the",
    "team",
    "found",
    "no",
    "error",
    "in",
    "this",
    "batch",
    "of",
    "data",
    "so",
    "we",
    "keep",
    "it",
    "for",
    "review",
]
_DATES = {
    False: ("%d.%m.%Y", "%d/%m/%Y", "%Y-%m-%d", "%d-%m-%Y", "%d.%m.%y", "%d.%m.%Y %H:%M", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M:%S,%f", "%d/%b/%Y:%H:%M:%S +0000", "%H:%M:%S.%f", "%Y%m%d-%H%M%S"),
    True: ("%d.%m.%Y, %H:%M:%S", "%m/%d/%Y %I:%M %p", "%Y/%m/%d %H:%M:%S", "%d %m %Y", "%Y.%m.%d", "%d-%m-%y %H.%M", "%a %b %d %H:%M:%S %Y", "%y%m%d %H:%M:%S", "%d. %m. %Y", "%Y-%j", "%H.%M.%S"),
}  # fmt: skip
_AROUND = {
    False: ("{}", "The report of {} is final.", "due: {}", "| 17 | {} | open |", '{{"at": "{}", "n": 3}}', "{} INFO [main] done", "vom {} bis auf Weiteres", "created_at={} state=ok"),
    True: ("As of {}, nothing changed.", "<date>{}</date>", "{}\tjob-7\tok", "le {} au plus tard", "- {}: released", "[{}] worker started", '"{}";"12";"ok"', "# {}"),
}  # fmt: skip


def harmless(*, held_out: bool) -> list[str]:
    """Return the texts of a part, 250 of them."""
    name = "harmless_held_out.txt" if held_out else "harmless_development.txt"
    written = Path(__file__).with_name(name).read_text(encoding="utf-8").removesuffix("\n").split("\n%%\n")
    random = Random(f"harmless {held_out}")
    generated = _held_out(random) if held_out else _development(random)
    return [*written, *generated][:250]


def _date(random: Random, *, held_out: bool) -> str:
    when = datetime(1990, 1, 1, tzinfo=timezone.utc) + timedelta(
        seconds=random.randrange(45 * 365 * 86400), microseconds=random.randrange(1_000_000)
    )
    written = when.strftime(random.choice(_DATES[held_out]))
    return random.choice(_AROUND[held_out]).format(written)


def _of(random: Random, alphabet: str, length: int) -> str:
    return "".join(random.choices(alphabet, k=length))


def _hex(random: Random, length: int) -> str:
    return _of(random, "0123456789abcdef", length)


def _decimals(random: Random, separator: str) -> str:
    return separator.join(f"{random.uniform(-99, 999):.{random.randint(1, 6)}f}" for _ in range(random.randint(2, 6)))


def _grouped(random: Random, separator: str) -> str:
    return f"{random.randrange(10**6, 10 ** random.randint(7, 11)):,}".replace(",", separator)


def _development(random: Random) -> list[str]:
    texts = [_date(random, held_out=False) for _ in range(40)]
    for _ in range(8):
        texts += [
            f"commit {_hex(random, 40)} fixes {_hex(random, 7)}",
            f"sha256:{_hex(random, 64)} {random.randrange(10**6)} bytes",
            f"request {UUID(int=random.getrandbits(128))} done in {random.randrange(10**4)} ms",
            f"{random.choice(['app', 'lib', 'core'])} {random.randint(0, 20)}.{random.randint(0, 30)}.{random.randint(0, 99)}-rc.{random.randint(1, 9)} (build {random.randrange(10**5)})",
            f"values: {_decimals(random, ', ')}",
            f"in all {_grouped(random, random.choice([',', '.', ' ']))} rows, {random.uniform(0, 100):.2f} %",
            f"ISSN {_of(random, string.digits, 4)}-{_of(random, string.digits, 3)}{random.choice(string.digits + 'X')}",
            f"body: {b64encode(' '.join(random.choices(_WORDS, k=14)).encode()).decode()}",
            f"at {random.uniform(-90, 90):.6f}, {random.uniform(-180, 180):.6f}",
            f"#{_hex(random, 6)} on #{_hex(random, 6).upper()}",
        ]
    return texts


def _held_out(random: Random) -> list[str]:
    texts = [_date(random, held_out=True) for _ in range(40)]
    for _ in range(8):
        texts += [
            f"parent {_hex(random, 40)}\ntree {_hex(random, 40)}",
            f'{{"md5": "{_hex(random, 32)}", "sha1": "{_hex(random, 40)}"}}',
            f"{UUID(int=random.getrandbits(128))};{random.randrange(10**6)};{_hex(random, 8)}",
            f"pkg@{random.randint(0, 9)}.{random.randint(0, 99)}.{random.randint(0, 99)} → {random.randint(0, 9)}.{random.randint(0, 99)}.0",
            f"[{_decimals(random, ' ')}]",
            f"{_grouped(random, random.choice([chr(39), chr(160), '_']))} of {_grouped(random, ' ')}",
            f"ISBN 978-{_of(random, string.digits, 1)}-{_of(random, string.digits, 4)}-{_of(random, string.digits, 4)}-{_of(random, string.digits, 1)}",
            f"<img src='data:image/png;base64,iVBORw0KGgo{_of(random, string.ascii_letters + string.digits + '+/', 96)}'>",
            f"lat={random.uniform(-90, 90):.5f}&lon={random.uniform(-180, 180):.5f}&z={random.randint(1, 20)}",
            f"doi:10.{random.randint(1000, 9999)}/j.{_of(random, string.ascii_lowercase, 5)}.{random.randint(1990, 2026)}.{random.randint(1, 12):02}.{random.randint(1, 999):03}",
        ]
    return texts
