"""The built-in rules of redaction: what is looked for, by name, and how it is told from what only looks like it.

Each pattern is linear: a repeat is bounded, or what it matches begins after something that it cannot match and is passed once.
No repeat holds another whose ends could be drawn in several ways.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from ._checks import address, card, iban, phone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Rule(NamedTuple):
    """One rule.

    Attributes:
        name: its name, which stands in brackets in the place of what it found.
        hint: text -> whether the pattern is worth trying; cheaper than the pattern.
        pattern: what could be it. A group `kept` says what the secret is for, and stays.
        check: tells how many characters of what was matched are it, 0 for none. What it is asked about is of bounded length.
        numeric: whether it finds only what has two digits next to each other, or almost.
    """

    name: str
    hint: Callable[[str], object]
    pattern: re.Pattern[str]
    check: Callable[[str], int] | None = None
    numeric: bool = False

    def redacted(self, text: str) -> str:
        """`text`, with the rule's mark for all that it finds."""
        if not self.hint(text):
            return text
        if self.check is not None:
            return self._checked(text, self.check)
        kept = r"\g<kept>" if "kept" in self.pattern.groupindex else ""
        return self.pattern.sub(f"{kept}[{self.name}]", text)

    def _checked(self, text: str, check: Callable[[str], int]) -> str:
        told, end = [], 0
        match = self.pattern.search(text)
        while match is not None:
            begin = match.start()
            length = check(match[0])
            if length:
                told += [text[end:begin], f"[{self.name}]"]
                end = begin + length
            # What is none may have the beginning of one within it.
            match = self.pattern.search(text, begin + max(length, 1))
        return "".join([*told, text[end:]]) if end else text


def _rule(
    name: str,
    hint: Callable[[str], object],
    pattern: str,
    check: Callable[[str], int] | None = None,
    *,
    numeric: bool = False,
) -> Rule:
    return Rule(name, hint, re.compile(pattern), check, numeric)


def _any_of(*words: str) -> Callable[[str], object]:
    return lambda text: any(word in text for word in words)


# Escapes of JSON, as in arguments that were cut off: as letters they would be taken for a part of the word that follows.
_ESCAPE = re.compile(r"\\(?:[bfnrt]|u[0-9A-Fa-f]{4})")
_ESCAPED = re.compile("[\U000f0000-\U0010ffff]")


def unescaped(text: str) -> str:
    """A text with one character of private use for each escape; `escaped` puts them back."""
    return _ESCAPE.sub(_character, text) if "\\" in text else text


def _character(escape: re.Match[str]) -> str:
    letter, digits = escape[0][1], escape[0][2:]
    return chr(0xF0000 + int(digits, base=16) if digits else 0x100000 + ord(letter))


def escaped(text: str) -> str:
    """The text with its escapes again, of one that `unescaped` has made."""
    return _ESCAPED.sub(_escape, text)


def _escape(character: re.Match[str]) -> str:
    code = ord(character[0])
    return f"\\u{code - 0xF0000:04x}" if code < 0x100000 else f"\\{chr(code - 0x100000)}"


_NUMBER = re.compile(r"[0-9][ ().\-/]{0,3}[0-9]").search


def needed(rules: Iterable[Rule], text: str) -> bool:
    """Whether one of the rules could find something in an unescaped text."""
    numbers = _NUMBER(text) is not None
    return any(
        (numbers or not rule.numeric) and rule.hint(text) and rule.pattern.search(text) is not None for rule in rules
    )


def redacted(rules: Iterable[Rule], text: str) -> str:
    """A text without what the rules find."""
    plain = unescaped(text)
    told = plain
    for rule in rules:
        told = rule.redacted(told)
    if told == plain:
        return text
    return told if plain is text else escaped(told)


# What is secret. Prefixes and alphabets: the providers' own pages, and the patterns by which GitHub and others scan for them.

_WITH_A_DIGIT = r"(?=[\w*.-]{0,48}[\d*])"
_SECRETS = "|".join(
    (
        # OpenAI, Anthropic, OpenRouter, DeepSeek, Moonshot, LiteLLM, Langfuse; Stripe; Groq; Cerebras; xAI; Perplexity;
        # Hugging Face; NVIDIA; Fireworks; Replicate; Together; Mailgun. Without a digit it takes a word that nobody would say.
        rf"(?:sk|pk|rk|gsk|csk|xai|pplx|hf|nvapi|fw|r8|tgp|key)[-_](?:{_WITH_A_DIGIT}[\w*.-]{{8,}}|[A-Za-z0-9]{{24,}}[\w*.-]*)",
        r"sk-(?:proj|ant|or|lf|svcacct|admin)-[\w*.-]{16,}",
        r"AIza[\w*-]{8,}|AQ\.[\w*-]{20,}|ya29\.[\w*.-]{20,}|GOCSPX-[\w*-]{20,}",  # Google
        r"gh[pousr]_[A-Za-z0-9*]{16,}|github_pat_\w{20,}|glpat-[\w-]{16,}",  # GitHub, GitLab
        r"xox[a-z]-[\w*-]{10,}|xapp-[\w-]{10,}",  # Slack
        r"whsec_[\w+/=]{16,}",  # Stripe's webhooks
        r"ABSK[A-Za-z0-9+/]{40,}={0,2}|bedrock-api-key-[\w+/=-]{20,}",  # Amazon Bedrock
        r"jina_\w{20,}|pa-[\w-]{30,}|tvly-[\w-]{16,}|pcsk_\w{20,}|lsv2_\w{20,}|e2b_\w{20,}",  # kin of the trade
        r"npm_[A-Za-z0-9]{30,}|pypi-[\w-]{30,}|dop_v1_[a-f0-9]{40,}|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}|hv[sb]\.[\w-]{20,}",
        r"SG\.[\w-]{16,}\.[\w-]{16,}",  # SendGrid
    )
)
# Each of them has one of these, and most texts have none; a search that begins with one set of characters is the fastest.
_KEYLIKE = re.compile(r"[-_.][\w*.+/=-]{8}").search
_UNDIVIDED = ("AIza", "ABSK")
# What is said to be one: by an HTTP header, or as the value of a setting. A word of letters alone has to be a long one.
_VALUE = r"(?:(?=[\w.*~+/-]{0,48}[\d*])[\w.*~+/-]{12,}|[A-Za-z]{24,}[\w.*~+/-]*)={0,2}"
_IS = r"[\"'\\]{0,3}\s{0,3}[:=]\s{0,3}[\"'\\]{0,3}"
_NAMED = rf"(?P<kept>\b(?:[Bb]earer|BEARER|[Bb]asic|[Tt]oken)\s{{1,4}}){_VALUE}"
_ASSIGNED = rf"(?P<kept>(?i:key|token|secret|password|passwd|pwd){_IS}){_VALUE}"
# The password in a URL, which ends at the last @ of what names the host. No escape of JSON that is a letter is in it.
_IN_URL = r"(?P<kept>://[^\s/?#:@\"<>`]*:)[^\s/?#\"<>`\U00100000-\U0010ffff]+(?=@)"
_HEADER = rf"(?P<kept>(?i:authorization){_IS}(?:[A-Za-z]{{1,16}}\s{{1,4}})?)[\w.*~+/-]{{6,}}={{0,2}}"


def _keylike(text: str) -> object:
    return _KEYLIKE(text) or any(word in text for word in _UNDIVIDED)


def _url_of_somebody(text: str) -> object:
    return "://" in text and "@" in text


_IPV4 = r"(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9]|\.[0-9])"
_IPV6 = r"(?<![\w.])(?:[0-9A-Fa-f]{0,4}:){2,8}(?:[0-9A-Fa-f]{1,4})?(?![\w:])"
_LOCAL = r"[\w.+%'\\-]"  # a backslash, as Python's `repr` has it before an apostrophe

RULES: dict[str, tuple[Rule, ...]] = {
    "private_key": (
        # Always matches from a beginning on, to its end or that of the text, so nothing is read twice.
        _rule(
            "private_key",
            _any_of("PRIVATE KEY"),
            r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY[A-Z ]{0,10}-----(?s:.*?)"
            r"(?:-----END [A-Z0-9 ]{0,30}PRIVATE KEY[A-Z ]{0,10}-----|\Z)",
        ),
    ),
    "jwt": (_rule("jwt", _any_of("eyJ"), r"(?<![\w-])eyJ[\w-]{4,}\.[\w-]{4,}(?:\.[\w-]*)?"),),
    "aws_key": (
        _rule(
            "aws_key",
            re.compile("A(?:KI|SI|BI|CC)A").search,
            r"(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])",
        ),
        _rule(
            "aws_key",
            _any_of("ecret", "ECRET", "ession", "ESSION"),
            rf"(?P<kept>(?i:secret_?(?:access_?)?key|session_?token){_IS})[A-Za-z0-9/+]{{40,}}={{0,2}}",
        ),
    ),
    "secrets": (
        _rule("secrets", _keylike, rf"(?<![A-Za-z0-9])(?:{_SECRETS})"),
        _rule("secrets", _url_of_somebody, _IN_URL),
        _rule("secrets", _any_of("uthorization", "UTHORIZATION"), _HEADER),
        _rule("secrets", _any_of("earer", "EARER", "asic", "oken"), _NAMED),
        _rule("secrets", re.compile(r"[:=]\s{0,3}[\"'\\]{0,3}[\w.*~+/-]{12}").search, _ASSIGNED),
    ),
    "email": (
        _rule(
            "email",
            _any_of("@"),
            rf"(?<!{_LOCAL}){_LOCAL}+@(?:[^\W_](?:[\w-]{{0,61}}[^\W_])?\.){{1,8}}(?:[^\W\d_]{{2,63}}|xn--[a-zA-Z0-9-]{{2,59}})",
        ),
    ),
    "iban": (
        _rule(
            "iban",
            re.compile(r"[0-9](?<=[A-Za-z][A-Za-z][0-9])[0-9][ -]?[A-Za-z0-9]{4}").search,
            r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]{4}){2,7}(?:[ -]?[A-Za-z0-9]{1,3})?",
            iban,
            numeric=True,
        ),
    ),
    "credit_card": (
        _rule(
            "credit_card",
            re.compile(r"[0-9][0-9]{3}[ -]?[0-9]{4}").search,
            r"(?<![0-9])(?:[0-9]{4}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?:[ -][0-9]{3}(?![0-9]))?"
            r"|[0-9]{4}([ -])[0-9]{6}\2[0-9]{4,5}|[0-9]{12,19})(?![0-9])",
            card,
            numeric=True,
        ),
    ),
    "phone": (
        _rule(
            "phone",
            re.compile(r"[0-9][ ().\-/]{0,3}[0-9](?:[ ().\-/]{0,3}[0-9]){5}").search,
            r"(?<![\w.+-])(?:"
            r"(?:\+|00)[0-9](?:[ ().\-/]{0,3}[0-9]){6,14}(?![0-9])"  # international
            # North American, also with the trunk prefix
            r"|(?:(?:1(?:[ .-]{1,2}|(?=\()))?(?:\([0-9]{3}\)[ .-]{0,2}|\(?[0-9]{3}\)?[ .-]{1,2})[0-9]{3}[ .-][0-9]{4}"
            r"|\(?0[0-9]{1,5}\)?[ ./-]{1,3}[0-9]{2,4}(?:[ .-]?[0-9]{2,4}){1,4}"  # with a trunk prefix
            r")(?![\w-]|\.[0-9]))",
            phone,
            numeric=True,
        ),
    ),
    "ip": (
        _rule("ip", re.compile(r"[0-9]\.[0-9]{1,3}\.[0-9]").search, _IPV4, address, numeric=True),
        _rule("ip", re.compile(r":[0-9A-Fa-f]{0,4}:").search, _IPV6, address),
    ),
}
"""By name, in the order in which they are applied: what could be taken for another's comes first."""

# Long words of letters and digits, as the keys of Azure and of Mistral are.
_LONG_WORDS = _rule(
    "secrets", lambda _text: True, r"\b(?=[A-Za-z]{0,48}[0-9])(?=[0-9]{0,48}[A-Za-z])[A-Za-z0-9]{24,}\b"
)
MASKED = (*RULES["private_key"], *RULES["jwt"], *RULES["aws_key"], *RULES["secrets"], _LONG_WORDS)
"""What no message of an exception may quote."""
