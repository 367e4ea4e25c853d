"""The built-in rules of redaction, by name: the patterns, and the checks of what they match.

Each pattern takes linear time: a repeat is bounded, or it starts after something that it cannot match, and is passed once.
No repeat contains another repeat that could match the same text in several ways.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .checks import address, card, email, iban, password_in_url
from .columns import columns
from .decoded import ESCAPED_QUOTES
from .headers import HEADER_PATTERNS, credentials, has_header, is_header_secret
from .key_formats import FORMATS, SHORTEST, UNKNOWN, WEBHOOKS, random_word
from .named_phones import NAMED_PHONE_PATTERNS, is_named_phone, named_phones
from .named_secrets import NAMED_PATTERNS, aws_secrets, is_aws_secret, is_named_secret, named_secrets
from .phone_names import PHONE_NAME_PATTERNS
from .phones import PHONE_PATTERNS, phones
from .rule import Rule, apart, rule
from .secret_names import NAME_PATTERNS, has_name
from .secret_values import VALUE_PATTERNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .rule import Span


def _any_of(*words: str) -> Callable[[str], object]:
    return lambda text: any(word in text for word in words)


_KEYS = re.compile(FORMATS, re.ASCII)


def _has_key(text: str) -> bool:
    """Return whether a key is among the long words of a text, which are few in most texts."""
    words = " ".join([word for word in text.split() if len(word) >= SHORTEST])
    return _KEYS.search(words) is not None or UNKNOWN.search(words) is not None


def _keys(text: str) -> Iterator[Span]:
    spans = [match.span() for match in _KEYS.finditer(text)]
    spans += [match.span() for match in UNKNOWN.finditer(text) if random_word(match[1])]
    yield from apart(spans)


def _has_named_column(text: str) -> bool:
    return "\n" in text and has_name(text)


def _url_of_somebody(text: str) -> object:
    return "://" in text and "@" in text


# The password in a URL, which ends at the last @ of what names the host. One with a slash in it ends at the first.
_IN_URL = (
    r"(?P<kept>://[^\s/?#:\"<>`]{0,256}:)(?:[^\s/?#\"<>`\ufffc]+(?=@)|(?![0-9]{1,5}[/?#])[^\s\"<>`@\ufffc]{1,128}(?=@))"
    r"|(?P<kept2>://)[\w-]{24,}(?=@)"
)
_QUOTE = rf"[\"{ESCAPED_QUOTES}]"
_IPV4 = r"(?<![0-9.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9]|\.[0-9])"
_IPV6 = r"(?<![\w.])(?:[0-9A-Fa-f]{0,4}:){2,8}(?:[0-9A-Fa-f]{1,4})?(?![\w:])"
# Letters and marks beyond ASCII, without the spaces, signs and quotes.
_OTHERS = "\u00c0-\u1fff\u2c00-\u2fef\u3040-\ud7ff\uf900-\ufdcf\ufdf0-\ufe0f\ufe70-\ufefe\U00010000-\U000e0fff"
_LOCAL = rf"[\w.+%'\ufdd1\ufdd4{_OTHERS}-]"  # an apostrophe also after a backslash, as Python's `repr` has it
_LABEL = rf"[A-Za-z0-9{_OTHERS}](?:[\w{_OTHERS}-]{{0,61}}[A-Za-z0-9{_OTHERS}])?"
_DOMAIN = rf"(?:{_LABEL}\.){{1,8}}(?:xn--[a-zA-Z0-9-]{{2,59}}|[A-Za-z]{{2,63}}|[{_OTHERS}]{{2,63}})"

_NAMES = (*NAMED_PATTERNS, *NAME_PATTERNS, *VALUE_PATTERNS)

RULES: dict[str, tuple[Rule, ...]] = {
    "private_key": (
        # Always matches from a beginning on, to its end or that of the text, so nothing is read twice.
        rule(
            "private_key",
            _any_of("PRIVATE KEY"),
            r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY[A-Z ]{0,10}-----(?s:.*?)"
            r"(?:-----END [A-Z0-9 ]{0,30}PRIVATE KEY[A-Z ]{0,10}-----|\Z)",
        ),
        rule(
            "private_key", _any_of("Private-Lines"), r"(?P<kept>Private-Lines: ?[0-9]{1,4}\s{1,2})[A-Za-z0-9+/=\r\n]+"
        ),
    ),
    "jwt": (
        rule(
            "jwt",
            _any_of("eyJ"),
            r"(?<![\w-])eyJ[\w-]{4,}\.(?:[\w-]{4,}(?:\.[\w-]*(?:\.[\w-]*(?:\.[\w-]*)?)?)?|\.[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,})",
        ),
    ),
    "aws_key": (
        rule(
            "aws_key",
            re.compile("A(?:KI|SI|BI|CC)A").search,
            r"(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}(?![A-Za-z0-9])",
        ),
        Rule(
            "aws_key",
            _any_of("ecret", "ECRET", "ession", "ESSION", "ecurity", "ECURITY"),
            aws_secrets,
            _NAMES,
            named=is_aws_secret,
        ),
    ),
    "secrets": (
        Rule("secrets", _has_key, _keys, (_KEYS, UNKNOWN)),
        rule("secrets", _any_of("hook", "maker.ifttt", "chat.googleapis"), WEBHOOKS),
        rule("secrets", _url_of_somebody, _IN_URL, password_in_url),
        Rule("secrets", has_header, credentials, HEADER_PATTERNS, named=is_header_secret),
        rule(
            "secrets",
            _any_of('kty"', "kty\ufdd0"),
            rf"(?P<kept>{_QUOTE}(?:d|k|p|q|dp|dq|qi){_QUOTE}\s{{0,2}}:\s{{0,2}}{_QUOTE})[\w-]{{20,}}",
        ),
        Rule(
            "secrets",
            has_name,
            named_secrets,
            (*NAMED_PATTERNS, *NAME_PATTERNS, *VALUE_PATTERNS),
            named=is_named_secret,
        ),
        Rule("secrets", _has_named_column, columns, ()),
    ),
    "email": (
        rule("email", _any_of("%40"), rf"(?<![\w.+-])[\w.+-]{{1,64}}%40{_DOMAIN}"),
        rule("email", _any_of("@"), rf"(?<!{_LOCAL}){_LOCAL}+@{_DOMAIN}", email, flags=re.UNICODE),
        rule(
            "email",
            re.compile('["\ufdd0\ufdd3]@').search,
            rf"[\"\ufdd0\ufdd3][^\s\"@\ufdd0\ufdd3](?:[^\r\n\"\ufdd0\ufdd3]{{0,62}}[^\s\"\ufdd0\ufdd3])?[\"\ufdd0\ufdd3]@{_DOMAIN}",
            flags=re.UNICODE,
        ),
    ),
    "iban": (
        rule(
            "iban",
            re.compile(r"[0-9](?<=[A-Za-z][A-Za-z][0-9])[0-9][ -]?[A-Za-z0-9]{4}").search,
            r"(?<![A-Za-z0-9])[A-Za-z]{2}[0-9]{2}(?:[ -]?[A-Za-z0-9]{4}){2,7}(?:[ -]?[A-Za-z0-9]{1,3})?",
            iban,
            numeric=True,
        ),
    ),
    "credit_card": (
        rule(
            "credit_card",
            re.compile(r"[0-9][0-9]{3}[ .-]?[0-9]{4}").search,
            r"(?<![0-9A-Za-z])(?<![0-9][.,])(?:[0-9]{4}([ .-])[0-9]{4}\1[0-9]{4}\1[0-9]{4}(?:[ .-][0-9]{3}(?![0-9]))?"
            r"|[0-9]{4}([ -])[0-9]{6}\2[0-9]{4,5}|[0-9]{12,19})(?![0-9A-Za-z])",
            card,
            numeric=True,
        ),
    ),
    "phone": (
        Rule(
            "phone",
            re.compile(r"[0-9][ ().\-/]{0,3}[0-9](?:[ ().\-/]{0,3}[0-9]){5}").search,
            phones,
            PHONE_PATTERNS,
            numeric=True,
        ),
        Rule(
            "phone",
            re.compile(r"[0-9][ ().\-/]{0,3}[0-9](?:[ ().\-/]{0,3}[0-9]){5}").search,
            named_phones,
            (*NAMED_PHONE_PATTERNS, *PHONE_NAME_PATTERNS),
            numeric=True,
            named=is_named_phone,
        ),
    ),
    "ip": (
        rule("ip", re.compile(r"[0-9]\.[0-9]{1,3}\.[0-9]").search, _IPV4, address, numeric=True),
        rule("ip", re.compile(r":[0-9A-Fa-f]{0,4}:").search, _IPV6, address),
    ),
}
"""By name, in the order in which they are applied: what could be taken for another's comes first."""

# Long words of letters and digits, as the keys of Azure and of Mistral are.
_LONG_WORDS = rule("secrets", lambda _text: True, r"\b(?=[A-Za-z]{0,48}[0-9])(?=[0-9]{0,48}[A-Za-z])[A-Za-z0-9]{24,}\b")
MASKED = (*RULES["private_key"], *RULES["jwt"], *RULES["aws_key"], *RULES["secrets"], _LONG_WORDS)
"""What no message of an exception may quote."""
