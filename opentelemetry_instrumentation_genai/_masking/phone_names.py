"""The words before telephone numbers, and before other numbers that look like one, in the languages of many countries."""

from __future__ import annotations

import re

from .decoded import ESCAPED_QUOTES


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_WORDS = _words(
    "tel telefon telephone telefono teléfono telefone telefoon téléphone téléfon tél phone phones mobile mobil mobiel "
    "mobiltelefon handy handynummer cell cellphone cellular celular cellulare móvil movil portable fax telefax "
    "whatsapp sms msisdn rufnummer telefonnummer mobilnummer тел телефон моб phonenumber mobilenumber faxnumber telnr "
    "phoneno hotline callback"
)
_OTHER_WORDS = ("电话", "手机", "電話", "携帯", "전화", "휴대폰", "फ़ोन", "هاتف", "جوال")
_BETWEEN = _words(
    "number no nr num numéro numero nummer is at on under ist lautet est es me us him her them you or and home work"
)
_CALLS = _words("call ring text dial reach")
# What other numbers are called, which look like national ones.
_OTHERS = _words(
    "sku order invoice ref reference serial part lot batch ticket case article artikel kundennummer kunde auftrag "
    "rechnung bestellung bestellnummer aktenzeichen az art nr no id ids issn isbn ean upc gtin doi pmid zip plz vin "
    "imei iccid room raum seite page pages seed seeds model facture pedido factura commande ordine fattura"
)
_SIGNS = " .:=\"'`*(#º°" + ESCAPED_QUOTES
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])")
_TOKEN = re.compile(r"[^\W\d_]+|\n|[0-9]+")
PHONE_NAME_PATTERNS = (_HUMP, _TOKEN)


def is_another_number(text: str, start: int) -> bool:
    """Return whether a word before a national number shows that it is another kind of number."""
    if text[start] == "+":
        return False
    words = _TOKEN.findall(text[max(start - 24, 0) : start].lower())
    return bool(words) and words[-1] in _OTHERS


def is_phone_name(before: str) -> bool:
    """Return whether the words before a number end with a name of a telephone number."""
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
