"""What tells a number of a card, an account, a telephone or a machine from what only looks like one.

Each takes what a pattern found and gives how many of its characters are it, 0 for none.
"""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address

# A digit doubled, as the sum of its digits; both as the characters that they are.
_DOUBLED = bytes.maketrans(b"0123456789", b"0246813579")
_NO_DIGITS = {ord(" "): None, ord("-"): None}
# How the numbers of payment cards begin, and how long they are: ISO/IEC 7812 and the networks' own pages.
_CARD = re.compile(r"(?:[456]|2[2-7]|3[0-9])[0-9]{10,18}\Z")
_SECURITY_CODE = 4  # characters, with what is before it


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of ISO/IEC 7812-1."""
    plain = digits.encode()
    total = sum(plain[-1::-2]) + sum(plain[-2::-2].translate(_DOUBLED)) - ord("0") * len(plain)
    return total % 10 == 0


def card(found: str) -> int:
    """A group of three that follows the number, its security code, is no part of it."""
    for end in (len(found), len(found) - _SECURITY_CODE):
        digits = found[:end].translate(_NO_DIGITS)
        if len(digits) >= 12 and _CARD.match(digits) and luhn(digits):
            return end
        if found[-_SECURITY_CODE] not in " -":
            break
    return 0


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


def iban(found: str) -> int:
    """As many characters as its country's have, if the remainder by 97 is one."""
    wanted = int(_IBAN_LENGTHS.get(found[:2].upper(), "0"))
    plain = found.translate(_NO_DIGITS).upper()[:wanted]
    if not wanted or len(plain) < wanted:
        return 0
    if int((plain[4:] + plain[:4]).translate(_IBAN_DIGITS)) % 97 != 1:
        return 0
    end = wanted
    while len(found[:end].translate(_NO_DIGITS)) < wanted:
        end += 1
    return end


def phone(found: str) -> int:
    """7 to 15 digits (ITU-T E.164)."""
    return len(found) if 7 <= sum(map(str.isdigit, found)) <= 15 else 0


def address(found: str) -> int:
    """An IPv4 address, or an IPv6 address that is no time, no name in C++ and not only colons."""
    if ":" not in found:
        return len(found) if all(int(part) < 256 for part in found.split(".")) else 0
    told = found
    if not any(map(str.isdigit, told)) or sum(map(bool, told.split(":"))) < 2:
        return 0
    try:
        IPv6Address(told)
    except AddressValueError:
        return 0
    return len(found)
