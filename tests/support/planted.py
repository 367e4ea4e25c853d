"""Secrets by their issuers' own grammars, texts that they hide in, and what is found of them in bytes.

Written without a look at the rules that are to find them.
"""

from __future__ import annotations

import string
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import IPv4Address, IPv6Address
from random import Random
from typing import NamedTuple

_LOWER, _UPPER, _DIGITS = string.ascii_lowercase, string.ascii_uppercase, string.digits
_WORD = string.ascii_letters + _DIGITS
_HEX = _DIGITS + "abcdef"
_PIECE = 8
"""Of a secret, so many characters in a row are a leak."""
# A word of our own in each, with nothing else beside the secret that could be taken for a part of it.
SENTENCES = (
    "planted {}",
    "planted: {}, if you please",
    "planted <{}> here",
    "planted '{}'",
    'planted "{}" there',
    "planted ({})",
    "planted\n{}\nbetween lines",
    "planted {}; and more",
    "planted={} next",
    "planted {} and",
    "planted is it {}? or {}!",
)


class Secret(NamedTuple):
    """One secret: the rule that it is for, how it is written down, and the part of it that must not be recorded."""

    rule: str
    text: str
    needle: str


def _word(random: Random, alphabet: str, least: int, most: int | None = None) -> str:
    """A word with a digit in it, if the alphabet has any."""
    length = random.randint(least, most or least)
    letters = random.choices(alphabet, k=length)
    if "7" in alphabet and length > 4:
        letters[random.randrange(length)] = random.choice(_DIGITS)
    return "".join(letters)


def email(random: Random) -> str:
    """RFC 5321, as people have them: dots, plus signs, labels of a host, a domain with or without a country."""
    middle = random.choice([".", "_", "-", "+", "%", "", "'"])
    local = _word(random, _LOWER + _DIGITS, 4, 9) + middle + _word(random, _WORD, 3, 6)
    labels = [_word(random, _LOWER + _DIGITS, 3, 12) for _ in range(random.randint(1, 3))]
    return f"{local}@{'.'.join(labels)}.{random.choice(['com', 'org', 'de', 'co.uk', 'photography', 'io'])}"


def phone(random: Random) -> str:
    """E.164 numbers, as they are written in several countries."""

    def digits(count: int) -> str:
        return random.choice("23456789") + "".join(random.choices(_DIGITS, k=count - 1))

    country = random.choice(["1", "44", "49", "33", "91", "86", "351", "420", "971"])
    prefix = random.choice(["+", "00"])
    return random.choice(
        [
            f"+{country}{digits(9)}",
            f"{prefix}{country} {digits(3)} {digits(3)} {digits(4)}",
            f"{prefix}{country}-{digits(2)}-{digits(4)}-{digits(3)}",
            f"+{country} ({digits(3)}) {digits(3)}-{digits(4)}",
            f"+{country} (0) {digits(2)} / {digits(7)}",
            f"+{country}.{digits(2)}.{digits(2)}.{digits(2)}.{digits(2)}",
            f"({digits(3)}) {digits(3)}-{digits(4)}",
            f"{digits(3)}-{digits(3)}-{digits(4)}",
            f"{digits(3)}.{digits(3)}.{digits(4)}",
            f"0{digits(2)} {digits(7)}".replace(" ", random.choice([" ", "/", "-"])),
            f"0{digits(3)} {digits(3)} {digits(4)}",
        ]
    )


def credit_card(random: Random) -> str:
    """ISO/IEC 7812 numbers of the networks, with the check digit after Luhn, written in one or in groups."""
    begin, length, groups = random.choice(
        [
            ("4", 16, (4, 4, 4, 4)),
            ("4", 13, (13,)),
            (str(random.randint(51, 55)), 16, (4, 4, 4, 4)),
            (str(random.randint(2221, 2720)), 16, (4, 4, 4, 4)),
            (random.choice(["34", "37"]), 15, (4, 6, 5)),
            ("6011", 16, (4, 4, 4, 4)),
            ("65", 16, (4, 4, 4, 4)),
            (random.choice(["300", "36", "38"]), 14, (4, 6, 4)),
            (str(random.randint(3528, 3589)), 16, (4, 4, 4, 4)),
            ("62", 19, (19,)),
        ]
    )
    body = begin + "".join(random.choices(_DIGITS, k=length - len(begin) - 1))
    total = 0
    for place, digit in enumerate(reversed(body)):
        value = int(digit) * (1 if place % 2 else 2)
        total += value - 9 if value > 9 else value
    number = body + str(-total % 10)
    separator = random.choice(["", " ", "-"])
    ends = [sum(groups[: place + 1]) for place in range(len(groups))]
    return separator.join(number[end - size : end] for end, size in zip(ends, groups, strict=True))


_BBANS = {
    "DE": "18n", "FR": "10n11c2n", "GB": "4a14n", "NL": "4a10n", "ES": "20n", "IT": "1a10n12c", "CH": "5n12c",
    "PL": "24n", "BE": "12n", "AT": "16n", "NO": "11n", "MT": "4a5n18c", "SE": "20n", "AE": "19n", "BR": "23n1a1c",
}  # fmt: skip


def iban(random: Random) -> str:
    """ISO 13616: each country's own structure, with check digits; in one, or in groups of four."""
    country, structure = random.choice([*_BBANS.items()])
    alphabets, bban, count = {"n": _DIGITS, "a": _UPPER, "c": _UPPER + _DIGITS}, "", ""
    for character in structure:
        if character.isdigit():
            count += character
        else:
            bban += "".join(random.choices(alphabets[character], k=int(count)))
            count = ""
    check = 98 - int("".join(str(int(character, 36)) for character in f"{bban}{country}00")) % 97
    number = f"{country}{check:02}{bban}"
    grouped = random.random() < 0.5
    return " ".join(number[at : at + 4] for at in range(0, len(number), 4)) if grouped else number


def ip(random: Random) -> str:
    """Dotted quads, and RFC 4291 in full, shortened, in capitals."""
    if random.random() < 0.5:
        return str(IPv4Address(random.randrange(1 << 31, (1 << 32) - (1 << 28))))
    address = IPv6Address(
        (0x2001 << 112) | (random.getrandbits(48) << 64) | random.getrandbits(random.choice([16, 64]))
    )
    written = address.exploded if random.random() < 0.3 else address.compressed
    return written.upper() if random.random() < 0.3 else written


def _base64url(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


def jwt(random: Random) -> str:
    """RFC 7519, signed or not."""
    header = _base64url('{"alg":"HS256","typ":"JWT"}')
    claims = _base64url(f'{{"sub":"{_word(random, _DIGITS, 10)}","jti":"{_word(random, _HEX, 16)}"}}')
    return f"{header}.{claims}.{_word(random, _WORD + '-_', 43) if random.random() < 0.9 else ''}"


def private_key(random: Random) -> str:
    """PEM (RFC 7468) and OpenSSH's."""
    kind = random.choice(["", "RSA ", "EC ", "OPENSSH ", "ENCRYPTED ", "DSA "])
    lines = [_word(random, _WORD + "+/", 64) for _ in range(random.randint(1, 3))]
    return "\n".join([f"-----BEGIN {kind}PRIVATE KEY-----", *lines, f"-----END {kind}PRIVATE KEY-----"])


def aws_key(random: Random) -> tuple[str, str]:
    """Ids of access keys, which stand for themselves; secret keys are forty characters that only their name identifies."""
    if random.random() < 0.5:
        key = random.choice(["AKIA", "ASIA"]) + "".join(random.choices(_UPPER + "234567", k=16))
        return key, key
    secret = _word(random, _WORD + "/+", 40)
    name = random.choice(
        ["aws_secret_access_key = ", "AWS_SECRET_ACCESS_KEY=", '"SecretAccessKey": "', "secretAccessKey: "]
    )
    return f"{name}{secret}" + ('"' if name.endswith('"') else ""), secret


def _provider_key(random: Random) -> str:
    """Of model providers and of what is used beside them, by what their pages say and scanners look for."""
    any_of, word = random.choice, lambda alphabet, *size: _word(random, alphabet, *size)
    return any_of(
        [
            f"sk-{word(_WORD, 20)}T3BlbkFJ{word(_WORD, 20)}",  # OpenAI
            f"sk-proj-{word(_WORD + '-_', 124)}",
            f"sk-svcacct-{word(_WORD + '-_', 60)}",
            f"sk-ant-{any_of(['api03', 'admin01'])}-{word(_WORD + '-_', 93)}AA",
            f"sk-or-v1-{word(_HEX, 64)}",
            f"sk-{word(_HEX, 32)}",  # DeepSeek
            f"AIza{word(_WORD + '-_', 35)}",
            f"gsk_{word(_WORD, 52)}",
            f"csk-{word(_LOWER + _DIGITS, 48)}",
            f"hf_{word(string.ascii_letters, 34)}",
            f"xai-{word(_WORD, 80)}",
            f"pplx-{word(_WORD, 48)}",
            f"nvapi-{word(_WORD + '-_', 64)}",
            f"r8_{word(_WORD, 37)}",
            f"fw_{word(_WORD, 24)}",
            f"{any_of(['ghp', 'gho', 'ghs'])}_{word(_WORD, 36)}",
            f"github_pat_{word(_WORD, 22)}_{word(_WORD, 59)}",
            f"glpat-{word(_WORD + '-_', 20)}",
            f"xoxb-{word(_DIGITS, 12)}-{word(_DIGITS, 12)}-{word(_WORD, 24)}",
            f"{any_of(['sk', 'rk', 'pk'])}_{any_of(['live', 'test'])}_{word(_WORD, 24, 99)}",
            f"whsec_{word(_WORD, 32)}",
            f"npm_{word(_WORD, 36)}",
            f"SG.{word(_WORD + '-_', 22)}.{word(_WORD + '-_', 43)}",
            f"lsv2_pt_{word(_HEX, 32)}_{word(_HEX, 10)}",
            f"tvly-{word(_WORD, 32)}",
        ]
    )


def secrets(random: Random) -> tuple[str, str]:
    """Providers' keys; tokens of RFC 6750 and passwords of RFC 7617 in a header; keys that only their name identifies."""
    kind = random.randrange(8)
    if kind == 0:
        token = _word(random, _WORD + "-._~+/", 32, 64)
        return f"Authorization: Bearer {token}", token
    if kind == 1:
        token = b64encode(f"{_word(random, _LOWER, 6)}:{_word(random, _WORD, 12)}".encode()).decode()
        return f"Authorization: Basic {token}", token
    if kind == 2:
        token = _word(random, _HEX, 32)  # Azure's
        name = random.choice(["api-key: ", "AZURE_OPENAI_API_KEY=", '"api_key": "', "token = '", "password: "])
        return f"{name}{token}" + (name[-1] if name[-1] in "\"'" else ""), token
    key = _provider_key(random)
    return key, key


GRAMMARS: Mapping[str, Callable[[Random], str | tuple[str, str]]] = {
    grammar.__name__: grammar for grammar in (email, phone, credit_card, iban, ip, jwt, private_key, aws_key, secrets)
}


class Planter:
    """Makes texts with secrets in them, and keeps what it has planted.

    Attributes:
        in_content: the secrets in messages of the application and of the model.
        outside_content: the secrets in headers, keys and parameters, which telemetry never reads.
        quoted: those in messages of errors.
    """

    def __init__(self, seed: int) -> None:
        """The same seed plants the same."""
        self._random = Random(seed)
        self.in_content: list[Secret] = []
        self.outside_content: list[Secret] = []
        self.quoted: list[Secret] = []

    @property
    def all(self) -> list[Secret]:
        """Whatever was planted."""
        return [*self.in_content, *self.outside_content, *self.quoted]

    def say(self, count: int = 16) -> str:
        """Sentences that an application says or hears."""
        return self._sentences(count, self.in_content)

    def quote(self, count: int = 16) -> str:
        """Sentences in the message of an error."""
        return self._sentences(count, self.quoted)

    def hush(self) -> str:
        """One line for where no content is."""
        while "\n" in (secret := self._draw()).text:
            pass
        self.outside_content.append(secret)
        return secret.text

    def pieces(self, text: str, most: int = 60) -> list[str]:
        """A text split anywhere."""
        places = sorted(self._random.sample(range(1, len(text)), min(most, len(text) - 1)))
        return [text[begin:end] for begin, end in zip([0, *places], [*places, len(text)], strict=True)]

    def _sentences(self, count: int, kept: list[Secret]) -> str:
        return ". ".join(self._sentence(kept) for _ in range(count))

    def _sentence(self, kept: list[Secret]) -> str:
        sentence = self._random.choice(SENTENCES)
        drawn = [self._draw() for _ in range(sentence.count("{}"))]
        kept += drawn
        return sentence.format(*(secret.text for secret in drawn))

    def _draw(self) -> Secret:
        rule = self._random.choice([*GRAMMARS])
        drawn = GRAMMARS[rule](self._random)
        return Secret(rule, *drawn) if isinstance(drawn, tuple) else Secret(rule, drawn, drawn)


def leaks(raw: bytes, planted: Iterable[Secret]) -> list[Secret]:
    """The secrets of which a piece is in the bytes."""
    pieces = {piece: secret for secret in planted for piece in _pieces(secret)}
    at = {raw[place : place + _PIECE] for place in range(len(raw))}
    return [*dict.fromkeys(secret for piece, secret in pieces.items() if piece in at)]


def _pieces(secret: Secret) -> Iterator[bytes]:
    for line in secret.needle.encode().splitlines():
        if not line.startswith(b"-----"):
            for place in range(0, max(len(line) - _PIECE, 0) + 1, 3):
                yield line[place : place + _PIECE]
