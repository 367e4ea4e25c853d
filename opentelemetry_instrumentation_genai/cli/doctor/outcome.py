"""What became of an export that was tried, whichever protocol it was tried by."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Outcome:
    """What became of an export.

    Attributes:
        kind: `accepted`, `status` (the server answered with one), `odd` (it answered with no answer of OTLP), or why there was no
            answer: `refused`, `unresolved`, `silent`, `certificate`, `tls`, `broken`, `headers`.
        status: the status of HTTP or the name of that of gRPC; empty where there is none.
        why: in a few words.
        headers: of the answer.
    """

    kind: str
    status: str = ""
    why: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


def of_error(error: BaseException) -> Outcome:
    """Return the outcome for an exception of a connection."""
    why = str(getattr(error, "strerror", None) or error) or type(error).__name__
    if isinstance(error, ConnectionRefusedError):
        return Outcome("refused", why=why)
    if isinstance(error, socket.gaierror):
        return Outcome("unresolved", why=why)
    if isinstance(error, ssl.SSLCertVerificationError):
        return Outcome("certificate", why=error.verify_message or why)
    if isinstance(error, ssl.SSLError):
        return Outcome("tls", why=why)
    if isinstance(error, TimeoutError):
        return Outcome("silent", why="no answer in time")
    if isinstance(error, OSError) and not isinstance(error, ConnectionError):
        return Outcome("silent", why=why)
    return Outcome("broken", why=why)
