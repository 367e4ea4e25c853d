"""Libraries that find secrets and personal data, made to redact as the rules do: those that are installed."""

from __future__ import annotations

import re
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from opentelemetry_instrumentation_genai._masking.decoded import Decoded
from opentelemetry_instrumentation_genai._masking.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_REGIONS = ("US", "DE", "GB", "FR", "IT", "ES", "BR", "JP", "AU", "RU")


def libraries(rule: str) -> Iterator[tuple[str, Callable[[str], str]]]:
    """Return what could do the work of a rule: what it is called, and how it redacts a text."""
    for makes in _MAKES.get(rule, ()):
        try:
            yield from makes()
        except ImportError as error:
            print(f"({error.name} is not installed)")


def _detect_secrets() -> Iterator[tuple[str, Callable[[str], str]]]:
    scan = import_module("detect_secrets.core.scan")
    settings = import_module("detect_secrets.settings")
    classes = import_module("detect_secrets.core.plugins.util").get_mapping_from_secret_type_to_class()

    def redact(plugins: list[dict[str, str]], text: str) -> str:
        with settings.transient_settings({"plugins_used": plugins}):
            for line in text.split("\n"):
                for secret in scan.scan_line(line):
                    text = text.replace(secret.secret_value or "\0", "[secrets]")
        return text

    names = [kind.__name__ for kind in classes.values()]
    yield "detect-secrets, all plugins", partial(redact, [{"name": name} for name in names])
    yield (
        "detect-secrets, without entropy",
        partial(redact, [{"name": name} for name in names if "Entropy" not in name]),
    )


def _phonenumbers() -> Iterator[tuple[str, Callable[[str], str]]]:
    library = import_module("phonenumbers")

    def redact(regions: tuple[str | None, ...], leniency: Any, text: str) -> str:
        spans = {
            (match.start, match.end)
            for region in regions
            for match in library.PhoneNumberMatcher(text, region, leniency=leniency)
        }
        for start, stop in sorted(spans, reverse=True):
            text = f"{text[:start]}[phone]{text[stop:]}"
        return text

    for regions in ((None,), ("US",), _REGIONS):
        for leniency in (library.Leniency.VALID, library.Leniency.POSSIBLE):
            name = "no region" if regions == (None,) else f"{len(regions)} region(s)"
            kind = "valid" if leniency == library.Leniency.VALID else "possible"
            yield f"phonenumbers, {name}, {kind}", partial(redact, regions, leniency)


def _stdnum(rule: str) -> Iterator[tuple[str, Callable[[str], str]]]:
    """Candidates by our pattern, which it has none of; the check by the library."""
    check = import_module("stdnum.iban" if rule == "iban" else "stdnum.luhn")
    (pattern,) = RULES[rule][0].patterns

    def redact(text: str) -> str:
        plain = Decoded(text).plain
        told = pattern.sub(
            lambda match: f"[{rule}]" if check.is_valid(re.sub("[ .-]", "", match[0])) else match[0], plain
        )
        return text if told == plain else told

    yield f"stdnum.{'iban' if rule == 'iban' else 'luhn'}", redact


_MAKES: dict[str, tuple[Callable[[], Iterator[tuple[str, Callable[[str], str]]]], ...]] = {
    "secrets": (_detect_secrets,),
    "phone": (_phonenumbers,),
    "iban": (partial(_stdnum, "iban"),),
    "credit_card": (partial(_stdnum, "credit_card"),),
}
