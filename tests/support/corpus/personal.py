"""Personal data: addresses, cards, accounts and numbers, by public standards, as people and machines write them."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from random import Random

from .formats import ALPHABETS, word

_NBSP, _NARROW, _HYPHEN = "\u00a0", "\u202f", "\u2011"


def _digits(random: Random, count: int) -> str:
    return random.choice("23456789") + "".join(random.choices("0123456789", k=count - 1))


def _domain(random: Random) -> str:
    labels = [word(random, ALPHABETS["l"], random.randint(4, 9)) for _ in range(random.randint(1, 2))]
    return ".".join([*labels, random.choice(["com", "org", "de", "co.uk", "com.br", "io", "museum", "fr", "dev"])])


def email(random: Random) -> str:
    """RFC 5321."""
    name = word(random, ALPHABETS["l"], random.randint(3, 8))
    second = word(random, ALPHABETS["a"], random.randint(3, 8))
    return f"{name}{random.choice(['.', '_', '-', '+', ''])}{second}@{_domain(random)}"


def email_international(random: Random) -> str:
    """RFC 6531: letters of other scripts, and accents as marks of their own (NFD)."""
    name = random.choice(
        ["jose\u0301", "zoe\u0308", "mu\u0308ller", "müller", "иван", "伊藤", "नमस्ते", "אבי", "søren", "łukasz"]
    )
    host = random.choice(["bücher.example", "пример.рф", "xn--bcher-kva.example", "cafe\u0301.example", "例え.jp"])
    return f"{name}.{word(random, ALPHABETS['l'], 5)}@{host}"


def email_quoted(random: Random) -> str:
    """RFC 5321: a local part in quotes."""
    first, last = word(random, ALPHABETS["l"], 5), word(random, ALPHABETS["l"], 6)
    return f'"{first}{random.choice([" ", ".", "@", "  "])}{last}"@{_domain(random)}'


def email_apostrophe(random: Random) -> str:
    """Names with an apostrophe."""
    return f"{word(random, ALPHABETS['l'], 1)}'{word(random, ALPHABETS['l'], 6)}@{_domain(random)}"


def card(random: Random) -> str:
    """ISO/IEC 7812, with the check digit by Luhn, in the groups that are printed."""
    begin, groups = random.choice(
        [
            ("4", (4, 4, 4, 4)),
            (str(random.randint(51, 55)), (4, 4, 4, 4)),
            (str(random.randint(2221, 2720)), (4, 4, 4, 4)),
            (random.choice(["34", "37"]), (4, 6, 5)),
            ("6011", (4, 4, 4, 4)),
            ("65", (4, 4, 4, 4)),
            (random.choice(["36", "38"]), (4, 6, 4)),
            (str(random.randint(3528, 3589)), (4, 4, 4, 4)),
        ]
    )
    body = begin + "".join(random.choices("0123456789", k=sum(groups) - len(begin) - 1))
    number = body + _check_digit(body)
    ends = [sum(groups[: place + 1]) for place in range(len(groups))]
    separator = random.choice(["", " ", "-"])
    return separator.join(number[end - size : end] for end, size in zip(ends, groups, strict=True))


def _check_digit(body: str) -> str:
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (1 if place % 2 else 2)
        total += value - 9 if value > 9 else value
    return str(-total % 10)


def card_typeset(random: Random) -> str:
    """A card's number with the spaces and hyphens that word processors and web pages put in."""
    grouped = ""
    while " " not in grouped and "-" not in grouped:
        grouped = card(random)
    return grouped.replace(" ", random.choice([_NBSP, _NARROW, "\u2007"])).replace(
        "-", random.choice([_HYPHEN, "\u2013"])
    )


# Structures by the IBAN registry: n digits, a capitals, c either.
_IBANS = {
    "DE": "18n", "FR": "10n11c2n", "GB": "4a14n", "NL": "4a10n", "ES": "20n", "IT": "1a10n12c", "CH": "5n12c", "PL": "24n",
    "BE": "12n", "AT": "16n", "NO": "11n", "MT": "4a5n18c", "SE": "20n", "AE": "19n", "BR": "23n1a1c", "PT": "21n", "IE": "4a14n",
    "DK": "14n", "FI": "14n", "CZ": "20n", "SK": "20n", "HU": "24n", "RO": "4a16c", "BG": "4a6n8c", "HR": "17n", "SI": "15n",
    "EE": "16n", "LV": "4a13c", "LT": "16n", "LU": "3n13c", "GR": "7n16c", "CY": "8n16c", "TR": "5n1n16c", "UA": "6n19c",
    "SA": "2n18c", "QA": "4a21c", "KW": "4a22c", "IL": "19n", "EG": "25n", "PK": "4a16c", "KZ": "3n13c", "GE": "2a16n",
}  # fmt: skip


def iban(random: Random) -> str:
    """ISO 13616: each country's own structure, with check digits; in one, in groups, or typeset."""
    country, structure = random.choice([*_IBANS.items()])
    alphabets, account, count = {"n": ALPHABETS["d"], "a": ALPHABETS["u"], "c": ALPHABETS["A"]}, "", ""
    for character in structure:
        if character.isdigit():
            count += character
        else:
            account += "".join(random.choices(alphabets[character], k=int(count)))
            count = ""
    check = 98 - int("".join(str(int(character, 36)) for character in f"{account}{country}00")) % 97
    number = f"{country}{check:02}{account}"
    separator = random.choice(["", " ", " ", _NBSP, "-"])
    return separator.join(number[at : at + 4] for at in range(0, len(number), 4))


# `#` is a digit.
_INTERNATIONAL = (
    "+49 30 ######", "+49 151 ########", "+49-8#-####-###", "+49 (0)30 #######", "+1 ###-###-####", "+1 (###) ###-####",
    "+1.###.###.####", "+1##########", "+44 20 7### ####", "+44 (0)20 7### ####", "+447#########", "+33 1 ## ## ## ##",
    "+33.6.##.##.##.##", "+34 6## ### ###", "+39 06 #### ####", "+41 44 ### ## ##", "+43 1 #######", "+31 6 ########",
    "+32 2 ### ## ##", "+45 ## ## ## ##", "+46 8 ### ### ##", "+47 ## ## ## ##", "+48 5## ### ###", "+351 21# ### ###",
    "+353 1 ### ####", "+420 7## ### ###", "+7 (4##) ###-##-##", "+7 ### ###-##-##", "+90 532 ### ## ##", "+91 #8### #####",
    "+91-80-####-####", "+86 13# #### ####", "+81 3-####-####", "+82-2-###-####", "+55 11 #####-####", "+52 55 #### ####",
    "+61 2 #### ####", "+61 4## ### ###", "+64 21 ### ###", "+27 82 ### ####", "+234 803 ### ####", "+20 10 #### ####",
    "+971 50 ### ####", "+972-50-###-####", "+65 6### ####", "+380 44 ### ####", "0049 30 #######", "0033 1 ## ## ## ##",
    "tel:+49-30-#######", "00 44 20 7### ####",
)  # fmt: skip
_NATIONAL = (
    "(###) ###-####", "###-###-####", "###.###.####", "1-###-###-####", "(###)###-####", "030 #######", "030/#######",
    "0151 ########", "08#-#######", "(030) #######", "020 7### ####", "07### ######", "01 ## ## ## ##", "06.##.##.##.##",
    "06-##-##-##-##", "04## ### ###", "(02) #### ####", "03-####-####", "0#0-####-####", "044 ### ## ##", "0532 ### ## ##",
    "050-###-####", "082 ### ####", "08-### ### ##", "070-### ## ##", "010-####-####", "8 (4##) ###-##-##", "(11) 9####-####",
)  # fmt: skip
_BESIDE_A_WORD = (
    "##########",
    "### ### ###",
    "##### #####",
    "## ## ## ##",
    "6### ####",
    "030#######",
    "####-####",
    "6########",
)


def _number(random: Random, forms: tuple[str, ...]) -> str:
    return "".join(random.choice("23456789") if character == "#" else character for character in random.choice(forms))


def phone_international(random: Random) -> str:
    """E.164, as it is written in its country."""
    return _number(random, _INTERNATIONAL)


def phone_national(random: Random) -> str:
    """With a trunk prefix or an area code, as it is written in its country."""
    return _number(random, _NATIONAL)


def phone_typeset(random: Random) -> str:
    """With the spaces and hyphens of typesetters."""
    number = phone_international(random).replace("tel:", "")
    return number.replace(" ", random.choice([_NBSP, _NARROW])).replace("-", random.choice([_HYPHEN, "\u2013"]))


def phone_named(random: Random) -> str:
    """A national number of any country beside a word for it."""
    name = random.choice(
        [
            "Tel.: ",
            "phone: ",
            "Telefon: ",
            "mobile ",
            "Call me at ",
            "tél. ",
            "Fax: ",
            "WhatsApp: ",
            "Handy: ",
            "teléfono: ",
            "phone number: ",
            "Mobil: ",
        ]
    )
    return name + _number(random, _BESIDE_A_WORD)


def ipv4(random: Random) -> str:
    """Dotted quads."""
    return str(IPv4Address(random.randrange(128 << 24, 223 << 24)))


def ipv6(random: Random) -> str:
    """RFC 4291 in full, shortened, in capitals."""
    address = IPv6Address(
        (0x2001 << 112) | (random.getrandbits(48) << 64) | random.getrandbits(random.choice([16, 64]))
    )
    written = address.exploded if random.random() < 0.3 else address.compressed
    return written.upper() if random.random() < 0.3 else written


PERSONAL: dict[str, tuple[str, Callable[[Random], str]]] = {
    "e-mail address": ("email", email),
    "e-mail address, international": ("email", email_international),
    "e-mail address, quoted": ("email", email_quoted),
    "e-mail address with an apostrophe": ("email", email_apostrophe),
    "card": ("credit_card", card),
    "card, typeset": ("credit_card", card_typeset),
    "IBAN": ("iban", iban),
    "phone, international": ("phone", phone_international),
    "phone, national": ("phone", phone_national),
    "phone, typeset": ("phone", phone_typeset),
    "phone beside a word": ("phone", phone_named),
    "IPv4 address": ("ip", ipv4),
    "IPv6 address": ("ip", ipv6),
}
