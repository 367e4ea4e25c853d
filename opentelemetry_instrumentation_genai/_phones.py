"""Telephone numbers, as people write them in many countries, and what tells them from dates, times, versions and other numbers.

Sources: ITU-T E.123 and E.164, the numbering plans of the countries. What a pattern finds is checked, with what stands around it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ._decoded import ESCAPED_QUOTES

if TYPE_CHECKING:
    from collections.abc import Iterator

_GAP = r"[ ().\-/]{0,3}"
_INTERNATIONAL = rf"(?:\+[1-9]|(?<![0-9] )00 ?[1-9])(?:{_GAP}[0-9]){{6,14}}(?!\.?[0-9])"
_NATIONAL = (
    # North American, also with the trunk prefix
    r"(?:1(?:[ .-]{1,2}|(?=\()))?(?:(?:\([2-9][0-9]{2}\)[ .-]{0,2}|[2-9][0-9]{2}[ -]{1,2})[0-9]{3}[ -][0-9]{4}|\(?[2-9][0-9]{2}\)?\.[0-9]{3}\.[0-9]{4})"
    # pairs, as in France
    r"|0[1-9](?:\.[0-9]{2}){4}|0[1-9](?:-[0-9]{2}){4}|0[1-9](?: [0-9]{2}){4}"
    # an area code after the trunk prefix 0
    r"|\(?0[1-9][0-9]{0,4}\)?(?:[ -]{1,3}| ?/ ?)[0-9]{2,4}(?:[ -]?[0-9]{2,4}){1,4}"
    # Brazil; Russia and Turkey; China
    r"|\([1-9][0-9]\) ?[0-9]{4,5}-[0-9]{4}|8[ -][0-9]{3}[ -][0-9]{3}[ -][0-9]{2}[ -][0-9]{2}|[08] ?\([0-9]{3}\) ?[0-9]{3}[ -]?[0-9]{2}[ -]?[0-9]{2}"
    r"|1[3-9][0-9]([ -])[0-9]{4}\1[0-9]{4}"
)
NUMBER = re.compile(
    rf"(?<![\w.+-])(?:{_INTERNATIONAL}|(?<![0-9][ :/,'])(?:{_NATIONAL})(?![\w-]|[.,:/][0-9]| [0-9]))",
    re.ASCII,
)
# What a number of seven digits at least is in. It begins with what few characters of a text are, which makes the search fast.
_RUN = re.compile(r"[0-9+(][0-9+ ().\-/]{6,}")
_AROUND = 4  # characters after a run that a pattern looks at
# Digits of any grouping, or of none, which are a number beside a word that says so.
_DIGITS = re.compile(r"\+?\(?[0-9][0-9 ().\-/]{5,40}[0-9](?![0-9])")
_GOES_ON = re.compile(r"[\w-]|[.,:/][0-9]| [0-9]", re.ASCII)
_WIDE_GAP = re.compile(r"[ ().\-/]{4}")
_WORDS = frozenset(
    [
        "tel",
        "telefon",
        "telephone",
        "telefono",
        "teléfono",
        "telefone",
        "telefoon",
        "téléphone",
        "téléfon",
        "tél",
        "phone",
        "phones",
        "mobile",
        "mobil",
        "mobiel",
        "mobiltelefon",
        "handy",
        "handynummer",
        "cell",
        "cellphone",
        "cellular",
        "celular",
        "cellulare",
        "móvil",
        "movil",
        "portable",
        "fax",
        "telefax",
        "whatsapp",
        "sms",
        "msisdn",
        "rufnummer",
        "telefonnummer",
        "mobilnummer",
        "тел",
        "телефон",
        "моб",
        "phonenumber",
        "mobilenumber",
        "faxnumber",
        "telnr",
        "phoneno",
        "hotline",
        "callback",
    ]
)
_OTHER_WORDS = ("电话", "手机", "電話", "携帯", "전화", "휴대폰", "फ़ोन", "هاتف", "جوال")
# What other numbers are called, which look like national ones.
_OTHERS = frozenset(
    [
        "sku",
        "order",
        "invoice",
        "ref",
        "reference",
        "serial",
        "part",
        "lot",
        "batch",
        "ticket",
        "case",
        "article",
        "artikel",
        "kundennummer",
        "kunde",
        "auftrag",
        "rechnung",
        "bestellung",
        "bestellnummer",
        "aktenzeichen",
        "az",
        "art",
        "nr",
        "no",
        "id",
        "ids",
        "issn",
        "isbn",
        "ean",
        "upc",
        "gtin",
        "doi",
        "pmid",
        "zip",
        "plz",
        "vin",
        "imei",
        "iccid",
        "room",
        "raum",
        "seite",
        "page",
        "pages",
        "seed",
        "seeds",
        "model",
        "facture",
        "pedido",
        "factura",
        "commande",
        "ordine",
        "fattura",
    ]
)
_BETWEEN = frozenset(
    [
        "number",
        "no",
        "nr",
        "num",
        "numéro",
        "numero",
        "nummer",
        "is",
        "at",
        "on",
        "under",
        "ist",
        "lautet",
        "est",
        "es",
        "me",
        "us",
        "him",
        "her",
        "them",
        "you",
        "or",
        "and",
        "home",
        "work",
    ]
)
_CALLS = frozenset(["call", "ring", "text", "dial", "reach"])
_SIGNS = " .:=\"'`*(#º°" + ESCAPED_QUOTES
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_TOKEN = re.compile(r"[^\W\d_]+|\n|[0-9]+")
_DAY, _MONTH, _YEAR = r"(?:0?[1-9]|[12][0-9]|3[01])", r"(?:0?[1-9]|1[0-2])", r"(?:1[89]|20)[0-9]{2}"
_DATE = re.compile(
    rf"\(?(?:(?:{_DAY}([./-]) ?{_MONTH}\1 ?|{_MONTH}([./-]) ?{_DAY}\2 ?)(?:{_YEAR}|[0-9]{{2}}(?![./-]?[0-9]))"
    rf"|{_YEAR}([./-]){_MONTH}(?:\3{_DAY})?|(?:{_DAY} {_MONTH}|{_MONTH}[./-]) ?{_YEAR}|{_YEAR}{_MONTH}{_DAY}(?:[ T_-]?[0-9]{{6}})?)(?![0-9])"
)
# Groups of three, as in large numbers with a sign.
_GROUPED = re.compile(r"\+[0-9]{1,3}(?:\.[0-9]{3}){1,2}|\+[0-9]{1,3}(?: [0-9]{3}){1,2}")
# A range of postal codes, or of anything that begins with zero; a postal code of North America.
_RANGE = re.compile(r"0[0-9]{2,4} ?[-/] ?0[0-9]*|0[0-9]{4}-[0-9]{4}$")
PHONE_PATTERNS = (NUMBER, _RUN, _DIGITS, _GOES_ON, _WIDE_GAP, _DATE, _GROUPED, _RANGE, _HUMP, _TOKEN)


def phones(text: str) -> Iterator[tuple[int, int]]:
    """Return where in a decoded text telephone numbers are that are written as such."""
    for run in _RUN.finditer(text):
        place, end = run.start(), run.end() + _AROUND
        while (match := NUMBER.search(text, place, end)) is not None:
            start, stop = match.span()
            if text[start] == "(" and ")" not in match[0]:
                start += 1  # it opens more than the number
            found = _is_number(text[start:stop]) and not _is_other(text, start)
            if found:
                yield start, stop
            place = stop if found else match.start() + 1


def _is_other(text: str, start: int) -> bool:
    """Whether a word before a national number says that it is another one."""
    if text[start] == "+":
        return False
    words = _TOKEN.findall(text[max(start - 24, 0) : start].lower())
    return bool(words) and words[-1] in _OTHERS


def named_phones(text: str) -> Iterator[tuple[int, int]]:
    """Return where in a decoded text numbers are that a word before them calls one of a telephone."""
    for run in _RUN.finditer(text):
        start = run.start()
        if start and text[start - 1] not in "\n,]>/" and _is_named(text[max(start - 40, 0) : start]):
            match = _DIGITS.match(text, start)
            if match is not None and _is_any_number(match[0]) and not _GOES_ON.match(text, match.end()):
                yield match.span()


def is_named_phone(name: str, value: str) -> bool:
    """Return whether a value is a telephone number, by the name of the member that holds it."""
    return _is_named(name[-40:]) and _DIGITS.fullmatch(value) is not None and _is_any_number(value)


def _is_any_number(number: str) -> bool:
    digits = sum(map(str.isdigit, number))
    return 7 <= digits <= 15 and not _WIDE_GAP.search(number) and not _DATE.match(number)


def _is_named(before: str) -> bool:
    """Whether the words before a number end with one that says what it is."""
    if not before.rstrip(_SIGNS)[-1:].isalpha():
        return False
    words = _TOKEN.findall(before)[-4:]
    if _ends_with_name([word.lower() for word in words]):
        return True
    last = _HUMP.sub(" ", words[-1]).lower().split()
    return len(last) > 1 and _ends_with_name(last)


def _ends_with_name(words: list[str]) -> bool:
    while words and words[-1] in _BETWEEN:
        words.pop()
        if words and words[-1] in _CALLS:
            return True
    return bool(words) and (words[-1] in _WORDS or words[-1].endswith(_OTHER_WORDS))


def _is_number(number: str) -> bool:
    digits = sum(map(str.isdigit, number))
    groups = _TOKEN.findall(number)
    if len(groups) != 5 and all(len(group) == 2 for group in groups):
        return False  # bytes
    if number.startswith("+"):
        return 8 <= digits <= 15 and (digits > 9 or _GROUPED.fullmatch(number) is None)
    if number.startswith("00"):
        return 10 <= digits <= 17
    if number[number.startswith("(")] == "0":
        return 9 <= digits <= 12 and _DATE.match(number) is None and _RANGE.match(number) is None
    return _DATE.match(number) is None
