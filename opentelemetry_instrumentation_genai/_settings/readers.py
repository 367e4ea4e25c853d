"""Readers of the settings: how the value of each is read, wherever it was set, and what is accepted."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from .._conventions.capture_modes import ACCEPTED, capture_of
from .._conventions.generation_names import GENERATION_NAMES
from .._conventions.sdks import INSTRUMENTED
from .._runtime.callables import checked
from .._runtime.errors import PartlyError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._adapter.parts import Part
    from .._application.purpose import Rule
    from .._content.completion_hook.entry_points import Hook
    from .._content.redaction import Redaction
    from .._cost.price_file import PriceFile

PREFIX = "OTEL_INSTRUMENTATION_GENAI_"
FILE = "OTEL_CONFIG_FILE"
"""The variable that names the declarative file."""

# Possible names of hosts that are more likely a mistake.
_NO_HOSTS = frozenset({"off", "on", "true", "false", "yes", "no", "none", "all", "0", "1"})
_GENERATIONS = [name for name in GENERATION_NAMES if name != "default"]
_PRICES = ("off", "billed", "genai-prices")
# A host, or an IPv6 address in brackets, and a port; the scheme of a URL is not accepted.
_PATTERN = r"(\[[^\s/@\]]+\]|[^\s/:@=]+)(:[0-9*]+)?|[0-9a-f:*]+"
_HOUR = 3600
_NOT_A_LETTER = "[^a-z]"
_ENRICHERS = ("conversation.fingerprint", "gen_ai.conversation.first", "llm.request.purpose")
_KEY_LENGTH = 16
# The arguments of `genai_context` as keys of baggage, and the attributes that record them.
_ARGUMENTS = {
    "conversation_id": "gen_ai.conversation.id",
    "prompt_name": "gen_ai.prompt.name",
    "prompt_version": "gen_ai.prompt.version",
}
_USERS = frozenset({"user_id", "user.id", "enduser.id", "enduser.pseudo.id"})
# A function in a module, in the syntax of entry points.
_TAG = r"[^\s=*]{1,256}"
_FUNCTION = r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*"
# A password in a URL, which may be within another (`simplecache::ftp://...`); digits alone after the colon are a port.
_WITH_LOGIN = r"://[^/]*:(?!\d{0,5}(?:/|$)).*@"
# The parts of a URL that do not name a folder: the user, and the query.
_NO_FOLDER = r"(?<=://)[^/]*@|\?.*"
_BOOLEANS = {"true": True, "false": False}
_RULES = "private_key, jwt, aws_key, secrets, email, iban, credit_card, phone, ip"
_WORDS = frozenset({"off", "all", *_RULES.split(", ")})


class Reader(NamedTuple):
    """Reads a setting, wherever it was set.

    Attributes:
        read: returns the field's value for a text, or for another type that a keyword or the file may have.
        accepted: what is accepted, as users read it.
        refuses: whether no content is captured if the value is not accepted.
        secret: whether no message may quote the value.
    """

    read: Callable[[Any], object]
    accepted: str
    refuses: bool = False
    secret: bool = False


def _one_of(*words: str) -> Reader:
    """Return the reader of a setting that accepts one of some words."""
    return Reader(lambda value: words[words.index(_word(value))], ", ".join(words))


def _entries(value: Any) -> list[str]:
    """Return the entries of a comma-separated text, or of a collection of texts."""
    entries = value.split(",") if isinstance(value, str) else value
    return [entry.strip() for entry in entries if entry.strip()]


def _word(value: object) -> str:
    return value.strip().lower() if isinstance(value, str) else str(value).lower()


def _enabled(value: object) -> frozenset[str]:
    if _word(value) in _BOOLEANS:
        return frozenset(INSTRUMENTED if _boolean(value) else ())
    names = {name.lower(): name for name in _entries(value)}
    if names and names.keys().isdisjoint(INSTRUMENTED):
        raise ValueError
    known = frozenset(names).intersection(INSTRUMENTED)
    unknown = [names[name] for name in sorted(names.keys() - known)]
    if unknown:
        raise PartlyError(", ".join(unknown), known)
    return known


def _bytes(value: object) -> int:
    """Read a number of bytes, also with `KiB` or `MiB` after it."""
    number, unit = value, 1
    if isinstance(value, str):
        digits, unit_name = re.fullmatch(r"([0-9]{1,12})\s*(|[km]i?b?|b)", value.strip().lower()).groups()  # type: ignore[union-attr]
        number, unit = int(digits), {"k": 1 << 10, "m": 1 << 20}.get(unit_name[:1], 1)
    if type(number) is not int or number < 0:
        raise ValueError
    return number * unit


def _redact(value: object) -> Redaction | None:
    # Any other word is the name of an entry point, or a path.
    names = [name.lower() if name.lower() in _WORDS else name for name in _entries(value)]
    if not names or names == ["off"]:
        return None
    if "off" in names:
        raise RefusedError("off cannot be combined with others")
    from .._content.redaction import redaction

    return redaction(names)


def _redactor(value: object) -> tuple[str, Callable[[Part], object]]:
    from .._content.redaction import named

    return named(value)


def _seconds(value: Any) -> float:
    seconds = float(value)
    if isinstance(value, bool) or not 0 < seconds <= _HOUR:
        raise ValueError
    return seconds


def _whole(value: Any) -> int:
    number = int(value)
    if isinstance(value, (bool, float)) or number < 1:
        raise ValueError
    return number


def _path(value: Any) -> str:
    """Read a path or URL. Spans refer to it, so one with a secret in it is not accepted."""
    from .._masking.credentials import has_credential
    from .._masking.masking import masked

    path: str = os.fspath(value)  # raises TypeError for a value that is not a path
    # The names of folders and buckets may look like keys.
    elsewhere = " ".join(re.findall(_NO_FOLDER, path)) if "/" in path else path
    if re.search(_WITH_LOGIN, path) or has_credential(path) or (elsewhere and masked(elsewhere) != elsewhere):
        raise ValueError
    return path


def _completion_hook(value: object) -> Hook | None:
    from .._content.completion_hook.entry_points import hook_of

    return hook_of(value)


def _boolean(value: object) -> bool:
    return _BOOLEANS[_word(value)]


def _host_providers(value: Any) -> tuple[tuple[str, str], ...]:
    pairs = value.items() if hasattr(value, "items") else [entry.rsplit("=", 1) for entry in _entries(value)]
    declared = tuple((pattern.strip().lower(), provider.strip()) for pattern, provider in pairs)
    if not all(re.fullmatch(_PATTERN, pattern) and provider for pattern, provider in declared):
        raise ValueError
    return declared


def _propagate(value: object) -> tuple[str, ...]:
    hosts = tuple(entry.lower() for entry in _entries(value))
    if hosts == ("off",):
        return ()
    if not hosts or not _NO_HOSTS.isdisjoint(hosts) or not all(re.fullmatch(_PATTERN, host) for host in hosts):
        raise ValueError
    return hosts


def _semconv_of_domain(
    *, version: int | None = None, experimental: bool | None = None, dual_emit: bool | None = None
) -> str:
    """Return the generation that the declarative file sets in `general.gen_ai.semconv`. There is no stable version yet."""
    if not {version.__class__} <= {int, type(None)} or not {experimental, dual_emit} <= {True, False, None}:
        raise TypeError
    return _GENERATIONS[bool(dual_emit)] if experimental else "default"


def _semconv(value: Any) -> str:
    """Return the generation that a list names. Values of other domains (http, database) are ignored."""
    if hasattr(value, "items"):
        return _semconv_of_domain(**value)
    ours = {entry.lower() for entry in _entries(value) if re.sub(_NOT_A_LETTER, "", entry.lower()).startswith("genai")}
    chosen = [generation for generation in _GENERATIONS if generation in ours]
    if ours.difference(_GENERATIONS):
        raise ValueError
    return chosen[-1] if chosen else "default"


def _user_id_key(value: Any) -> bytes:
    key: bytes = value.strip().encode() if isinstance(value, str) else bytes(memoryview(value))
    if len(key) < _KEY_LENGTH:
        raise ValueError
    return key


def _baggage(value: Any) -> tuple[tuple[str, str | None, bool], ...]:
    pairs = value.items() if hasattr(value, "items") else [entry.partition("=")[::2] for entry in _entries(value)]
    entries = tuple((key.strip(), attribute.strip()) for key, attribute in pairs)
    if entries == (("off", ""),):
        return ()
    if not all(key and set(" *").isdisjoint(key + attribute) for key, attribute in entries):
        raise ValueError
    return tuple(_entry(key, attribute) for key, attribute in entries)


def _entry(key: str, attribute: str) -> tuple[str, str | None, bool]:
    attribute = _ARGUMENTS.get(attribute or key, attribute)
    if attribute in _USERS or (not attribute and key in _USERS):
        return key, None, True
    return key, attribute or None, key in _USERS


def _metric_attributes(value: Any) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(_entries(value)))
    if names == ("off",):
        return ()
    if not names or not all(re.fullmatch(_TAG, name) for name in names):
        raise ValueError
    return names


def _enrichers(value: object) -> frozenset[str]:
    names = frozenset(name.lower() for name in _entries(value))
    if len(names) == 1 and names <= {"off", "all"}:
        return frozenset(_ENRICHERS if "all" in names else ())
    if not names or not names.issubset(_ENRICHERS):
        raise ValueError
    return names


def _purpose(value: object) -> tuple[Rule, ...] | Callable[..., object] | str:
    if callable(value) or (isinstance(value, str) and not value.startswith("file:")):
        return _hook(value)
    from .._application.purpose import rules

    return rules(value)


def _hook(value: object) -> Callable[..., object] | str:
    """Read a callable, or `module:function`, which is imported at the first call, when the application's modules can be."""
    if isinstance(value, str):
        if not re.fullmatch(_FUNCTION, value.strip()):
            raise ValueError
        return value.strip()
    return checked(value)


def _prices(value: object) -> tuple[str | PriceFile, ...]:
    """Read the sources of prices in order. What a provider bills is exact, so it comes first unless it is listed elsewhere."""
    sources: list[str | PriceFile] = []
    for entry in _entries(value):
        if entry.startswith("file:"):
            from .._cost.price_file import PriceFile

            sources.append(PriceFile(entry.removeprefix("file:")))
        else:
            sources.append(_PRICES[_PRICES.index(_word(entry))])
    if "off" in sources:
        if sources != ["off"]:
            raise ValueError
        return ()
    return tuple(sources) if "billed" in sources or not sources else ("billed", *sources)


READERS: dict[str, Reader] = {
    "enabled": Reader(_enabled, "true, false, or a comma-separated list of " + ", ".join(INSTRUMENTED)),
    "capture_message_content": Reader(capture_of, ACCEPTED),
    "capture_binary": Reader(_boolean, "true, false"),
    "content_budget": Reader(_bytes, "a number of bytes, such as 65536 or 64KiB"),
    "content_part_budget": Reader(_bytes, "a number of bytes, such as 65536 or 64KiB"),
    "redact": Reader(
        _redact, f"off, all, or a comma-separated list of {_RULES}, file:PATH, and names of entry points", refuses=True
    ),
    "redactor": Reader(
        _redactor, "a callable that takes a part and returns it or None, or the name of an entry point", refuses=True
    ),
    "redact_timeout": Reader(_seconds, "a number of seconds above 0, at most 3600"),
    "emit_event": Reader(_boolean, "true, false"),
    "host_providers": Reader(_host_providers, "a comma-separated list of HOST[:PORT]=PROVIDER, where HOST may hold *"),
    "per_chunk_metric": Reader(_boolean, "true, false"),
    "allow_others": Reader(_boolean, "true, false"),
    "stream_usage": _one_of("off", "inject"),
    "anthropic_native_tracing": _one_of("replace", "enrich", "off"),
    "propagate": Reader(
        _propagate, "off, self-hosted, or a comma-separated list of HOST[:PORT], where HOST may hold *"
    ),
    "propagate_baggage": Reader(_boolean, "true, false"),
    "metrics": _one_of("standard", "extended"),
    "prices": Reader(_prices, "off, or a comma-separated list of billed, genai-prices and file:PATH"),
    "completion_hook": Reader(
        _completion_hook,
        "off, a callable that takes a completion, a hook of the ecosystem, or the name of an entry point",
    ),
    "completion_hook_queue_size": Reader(_whole, "a whole number from 1"),
    "completion_hook_flush_timeout": Reader(_seconds, "a number of seconds above 0, at most 3600"),
    "upload_base_path": Reader(
        _path, "a path or URL that fsspec knows, without a password or a key in it", secret=True
    ),
    "upload_format": _one_of("json", "jsonl"),
    "semconv_stability_opt_in": Reader(_semconv, ", ".join(_GENERATIONS) + ", and values of other domains"),
    "user_id": _one_of("pseudo", "raw"),
    "user_id_key": Reader(_user_id_key, f"a secret of at least {_KEY_LENGTH} characters", secret=True),
    "baggage": Reader(_baggage, "off, or a comma-separated list of KEY and KEY=ATTRIBUTE"),
    "metric_attributes": Reader(_metric_attributes, "off, or a comma-separated list of tags and keys of the baggage"),
    "metric_attribute_values": Reader(_whole, "a whole number from 1"),
    "enrichers": Reader(_enrichers, "off, all, or a comma-separated list of " + ", ".join(_ENRICHERS)),
    "purpose": Reader(_purpose, "file:PATH with rules in JSON, a callable, or MODULE:FUNCTION"),
    "request_hook": Reader(_hook, "a callable that is not asynchronous, or MODULE:FUNCTION"),
    "response_hook": Reader(_hook, "a callable that is not asynchronous, or MODULE:FUNCTION"),
}
