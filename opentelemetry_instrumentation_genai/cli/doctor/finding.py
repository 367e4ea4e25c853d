"""A finding: what is true, in one sentence, how bad that is, and what to do."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..._masking.masking import masked
from ..._masking.origin import HIDDEN, origin
from ..._runtime.guard import printable
from .catalogue import CATALOGUE
from .credentials import is_usual, of_environment

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

LEVELS = ("ok", "info", "warning", "problem")
_LONGEST = 400
_PLAIN = ("trace",)  # a long number that is no secret
# What others have made the text of: exceptions, log lines, servers.
_TEXTS = ("error", "location", "logged", "message", "problem", "status", "why")
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]*@")


@dataclass(frozen=True)
class Finding:
    """One finding.

    Attributes:
        code: its row in the catalogue, such as `endpoint.refused`.
        values: what goes into the places of its texts.
    """

    code: str
    values: Mapping[str, object]

    @property
    def level(self) -> str:
        """Return `ok`, `info`, `warning` or `problem`."""
        return CATALOGUE[self.code].level

    @property
    def what(self) -> str:
        """Return what is true."""
        return self._filled(CATALOGUE[self.code].what)

    @property
    def todo(self) -> str:
        """Return what to do; empty where there is nothing to do."""
        return self._filled(CATALOGUE[self.code].todo)

    def _filled(self, text: str) -> str:
        return text.format_map(
            {
                name: str(value) if name in _PLAIN else shown(value, of_environment() if name in _TEXTS else ())
                for name, value in self.values.items()
            }
        )

    def as_json(self) -> dict[str, str]:
        """Return the finding as an object of JSON."""
        return {"code": self.code, "level": self.level, "what": self.what, "todo": self.todo}


def found(code: str, **values: object) -> Finding:
    """Return a finding.

    Args:
        code: its row in the catalogue.
        values: what goes into the places of its texts.
    """
    return Finding(code, values)


def shown(value: object, secrets: Collection[str] = ()) -> str:
    """Return a value as it is shown: without credentials, control characters, and what is beyond 400 characters.

    Args:
        value: what is shown as text.
        secrets: credentials that are known.
    """
    text = _CREDENTIALS.sub("", str(value))
    text = printable(masked(text, secrets))
    return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def shown_url(url: str) -> str:
    """Return a URL with what may be shown of it: scheme, host, port, and the words of its path that are usual for OTLP.

    A user, a query and any other part of the path may be credentials.
    """
    start = origin(url)
    if HIDDEN in start:
        return start
    address, query, _ = url.partition("#")[0].partition("?")
    _, slash, path = address.partition("://")[2 if "://" in address else 0].partition("/")
    words = [word if is_usual(word) else HIDDEN for word in path.split("/")]
    return f"{start}{slash}{'/'.join(words)}{query and query + HIDDEN}"
