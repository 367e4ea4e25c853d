"""The credentials that the environment holds: in headers, in URLs, and in settings of ours that are secret.

No text that somebody else has made, such as that of an exception, is shown with one of them.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from ..._masking.credentials import credentials_among
from ..._settings.config import variable
from ..._settings.config_file import read_file
from ..._settings.readers import FILE, READERS
from .headers import entries, parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHORTEST = 4  # characters; what is shorter occurs in any text
_HEADERS = re.compile(r"OTEL_EXPORTER_OTLP_(?:[A-Z]+_)?HEADERS")
_URLS = re.compile(r"OTEL_EXPORTER_\w*ENDPOINT|\w*_PROXY", re.IGNORECASE)
# The words of the paths of collectors and backends.
_USUAL = re.compile(
    r"(?:v[0-9]{1,2}|v1development|traces|metrics|logs|profiles|api|public|private|otlp|_otlp|otel|opentelemetry|opik|loki"
    r"|ingest|insert|integration|collector|telemetry)?"
)


def is_usual(word: str) -> bool:
    """Return whether a word of a path is a usual one, and so no credential."""
    return _USUAL.fullmatch(word) is not None


def of_environment() -> tuple[str, ...]:
    """Return the credentials of the environment, and of the declarative file that it names, in each spelling."""
    found = dict.fromkeys(each for each in _all() if len(each) >= _SHORTEST)
    return credentials_among(found)


def _all() -> Iterator[str]:
    for name, value in sorted(os.environ.items()):
        if _HEADERS.fullmatch(name):
            yield from _of_headers(value)
        elif _URLS.fullmatch(name):
            yield from _of_url(value)
    for name, reader in READERS.items():
        if reader.secret:
            yield os.environ.get(variable(name), "")
    with suppress(Exception):  # a file that cannot be read is a finding of its own
        yield from _of_file(read_file(os.environ[FILE]))


def _of_headers(text: str) -> Iterator[str]:
    """Yield the values of headers; of an entry that is none, what may be its value."""
    yield from parsed(text)[0].values()
    for entry in entries(text):
        _, *others = re.split("[:=]", entry, maxsplit=1)
        value = unquote(others[0]).strip() if others else ""
        yield value if value.strip("= ") else entry.strip("= ")


def _of_url(url: str) -> Iterator[str]:
    """Yield the user and the password of a URL, what its query gives, and the words of its path that are no usual ones."""
    rest = url.strip().rpartition("://")[2]
    user, at, others = rest.rpartition("@")
    if at:
        name, colon, password = user.partition(":")
        yield from (user, password) if colon else (user,)
        yield name if len(name) >= 2 * _SHORTEST else ""
        # One with a slash in it that is not written in percent is taken for a host, a port and a path.
        yield from re.split("[:/?#]", password)
    port = re.split("[/?#]", others, maxsplit=1)[0].rpartition(":")[2]
    yield "" if ":" not in others or port.isdecimal() or port.endswith("]") else port
    address, _, query = others.partition("?")
    yield query
    yield from (part.partition("=")[2] for part in re.split("[&;#]", query))
    yield from (word for word in address.split("/")[1:] if not is_usual(unquote(word)))


def _of_file(node: Any, *, within: bool = False) -> Iterator[str]:
    """Yield the values of the headers of a declarative file, and what is secret in its endpoints."""
    if isinstance(node, list):
        for each in node:
            yield from _of_file(each, within=within)
    elif hasattr(node, "items"):
        for name, value in node.items():
            if name == "headers_list":
                yield from _of_headers(str(value))
            elif name == "endpoint":
                yield from _of_url(str(value))
            elif name == "value" and within:
                yield str(value)
            else:
                yield from _of_file(value, within=name == "headers")
