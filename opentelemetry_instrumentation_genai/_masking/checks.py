"""Checks that separate card numbers, account numbers, addresses and passwords from text that only looks like one.

Each check takes the match of a pattern and returns the span of the secret in it, or None if there is none.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TypeAlias

    Span: TypeAlias = "tuple[int, int]"

# Each digit -> the sum of the digits of its double, both as characters.
_DOUBLED = bytes.maketrans(b"0123456789", b"0246813579")
_NO_DIGITS = dict.fromkeys(map(ord, " -."))
# The prefixes and lengths of payment cards' numbers: ISO/IEC 7812 and the networks' own pages.
_CARD = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})\Z|(?:5[1-5]|2[2-7])[0-9]{14}\Z|3[47][0-9]{13}\Z|3(?:0[0-59]|[689][0-9])[0-9]{11,16}\Z"
    r"|35[2-8][0-9]{13,16}\Z|(?:50|5[6-9]|6[0-9])[0-9]{10,17}\Z"
)
_SECURITY_CODE = 4  # characters, with the separator before it


def luhn(digits: str) -> bool:
    """Return whether the last digit is the check digit of ISO/IEC 7812-1."""
    plain = digits.encode()
    total = sum(plain[-1::-2]) + sum(plain[-2::-2].translate(_DOUBLED)) - ord("0") * len(plain)
    return total % 10 == 0


def card(match: re.Match[str]) -> Span | None:
    """Return the span of a card's number, without the three digits of a security code after it; None if it is none."""
    found = match[0]
    for end in (len(found), len(found) - _SECURITY_CODE):
        digits = found[:end].translate(_NO_DIGITS)
        if len(digits) >= 12 and _CARD.match(digits) and luhn(digits):
            return match.start(), match.start() + end
        if found[-_SECURITY_CODE] not in " -.":
            break
    return None


# Lengths by country: the IBAN registry of SWIFT, ISO 13616.
_IBAN_LENGTHS = dict(
    re.findall(
        r"(..)([0-9]{2})",
        "AD24AE23AL28AT20AZ28BA20BE16BG22BH22BI27BR29BY28CH21CR22CY28CZ24DE22DJ27DK18DO28EE20EG29ES24FI18FK18"
        "FO18FR27GB22GE22GI23GL18GR27GT28HN28HR21HU28IE22IL23IQ23IS26IT27JO30KW30KZ20LB28LC32LI21LT20LU20LV21"
        "LY25MC27MD24ME22MK19MN20MR27MT31MU30NI28NL18NO15OM23PK24PL28PS29PT25QA29RO24RS22RU33SA24SC31SD18SE24"
        "SI19SK24SM27SO23ST25SV28TL23TN24TR26UA29VA22VG24XK20YE30",
    )
)


_IBAN_DIGITS = {ord(character): str(int(character, 36)) for character in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}


def iban(match: re.Match[str]) -> Span | None:
    """Return the span of an IBAN, by its country's length, if its remainder by 97 is one; None if it is not."""
    found = match[0]
    wanted = int(_IBAN_LENGTHS.get(found[:2].upper(), "0"))
    plain = found.translate(_NO_DIGITS).upper()[:wanted]
    if not wanted or len(plain) < wanted:
        return None
    if int((plain[4:] + plain[:4]).translate(_IBAN_DIGITS)) % 97 != 1:
        return None
    end = wanted
    while len(found[:end].translate(_NO_DIGITS)) < wanted:
        end += 1
    stop = match.start() + end
    return None if match.string[stop : stop + 1].isalnum() else (match.start(), stop)


# Text before four numbers with dots that makes them a version or the number of a chapter, also in a list of these.
_VERSION = re.compile(
    r"(?:(?:(?:[Vv]ersion|VERSION|OID|oid)[\w\s\"'.:=>(]{0,6}|\b(?i:ver|v|release|rev|build|section|sec|chapter|clauses?|abschnitt|kapitel|figure|fig|table)|§)[\"'.:=>(#-]{0,3}\s{0,2}"
    r"[\"'(]{0,2}v?(?:[0-9][0-9.]{0,20}(?: (?:to|and|or|bis|und|->|→|-) |, ))?|\b[A-Z][A-Za-z]{1,20}/|[=~<>!]=)$"
)
_FILE = re.compile(r"[-.](?:tar|zip|gz|whl|jar|dll|exe|so|deb|rpm|dmg|msi|py|post|dev|rc|beta|alpha)")
_LONGER = re.compile(r"(?<![^\W_])[0-9A-Fa-f]{1,4}:$")  # a longer fingerprint continues before the match
_NOBODY = re.compile(r"127\.|0\.0\.0\.0|255\.")


def address(match: re.Match[str]) -> Span | None:
    """Return the span of an IPv4 address, unless it is a version or local, or of an IPv6 address, unless it is a time or C++."""
    found, text = match[0], match.string
    if ":" in found:
        part = _is_slice(text, match.start(), found) or _LONGER.search(text[max(match.start() - 6, 0) : match.start()])
        return match.span() if _is_ipv6(found) and not part else None
    if any(int(part) > 255 for part in found.split(".")) or _NOBODY.match(found):
        return None
    return None if _is_version(text, *match.span()) else match.span()


def _is_version(text: str, start: int, stop: int) -> bool:
    before = text[max(start - 40, 0) : start]
    # A quick check: most addresses have no text before them that could make them a version.
    may_be_named = any(character.isalpha() or character in "§=/>:(\"',-→" for character in before[-3:])
    return (may_be_named and _VERSION.search(before) is not None) or _FILE.match(text, stop) is not None


def _is_ipv6(found: str) -> bool:
    if not any(map(str.isdigit, found)) or sum(map(bool, found.split(":"))) < 2:
        return False
    try:
        IPv6Address(found)
    except AddressValueError:
        return False
    return True


def _is_slice(text: str, start: int, found: str) -> bool:
    """Return whether a match is the slice of a sequence in code, as in `names[1::2]`."""
    return (
        len(found) < 8
        and text[start - 1 : start] == "["
        and (text[start - 2 : start - 1].isalnum() or text[start - 2 : start - 1] in ("_", ")", "]"))
    )


_REMOTES = ("git@", "hg@")


def email(match: re.Match[str]) -> Span | None:
    """Return the span of an address, without quotes before it; None for the name of a repository, version or algorithm."""
    address = match[0].lstrip("'.\ufdd1\ufdd4-")
    start = match.end() - len(address)
    host = address.rpartition("@")[2]
    if address.startswith("@") or (address.startswith(_REMOTES) and match.string[match.end() : match.end() + 1] == ":"):
        return None
    if host.split(".")[0].isdigit() and host.split(".")[1].isdigit():
        return None
    return None if host == "openssh.com" else (start, match.end())


_PLACEHOLDERS = frozenset(
    {"password", "passwd", "pass", "yourpassword", "your_password", "your-password", "secret", "redacted"}
)


def password_in_url(match: re.Match[str]) -> Span | None:
    """Return the span of the password between the user's name and the host of a URL; None for a placeholder."""
    if match["kept2"] is not None:
        token = match[0][len("://") :]
        return (match.start() + len("://"), match.end()) if any(map(str.isdigit, token)) else None
    start = match.end("kept")
    password = match.string[start : match.end()]
    return None if password.lower() in _PLACEHOLDERS or not password.strip("*x.•…") else (start, match.end())
