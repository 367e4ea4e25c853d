"""What an error may say in telemetry.

`error.type` is the provider's own error code where it has one in words (`rate_limit_exceeded`, `invalid_request_error`), else
the qualified name of the exception. Messages can quote prompts and keys, so they are written only with content capture.
"""

from __future__ import annotations

import re
import traceback
from typing import TYPE_CHECKING, Any, NamedTuple

from ._attributes import EXCEPTION_MESSAGE, EXCEPTION_STACKTRACE, EXCEPTION_TYPE
from ._fields import member

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ._fields import Attribute

# A number only repeats the HTTP status, and LiteLLM writes out that there is none.
_CODE = re.compile(r"(?!None$)[A-Za-z][\w.:-]{0,63}")
_PREFIXES = "sk|pk|rk|gsk|csk|xai|pplx|hf|nvapi|fw|r8|tgp|key"
_SECRET = re.compile(
    rf"\b((?:{_PREFIXES})[-_])(?=[\w*-]*[\d*])[\w*.-]{{8,}}"  # by their prefixes
    r"|\b(AIza|eyJ)[\w*.-]{8,}"
    r"|(\b[Bb]earer )[\w*.~+/=-]{8,}"
    r"|\b(?=[A-Za-z]*\d)(?=\d*[A-Za-z])[A-Za-z\d]{24,}\b"  # long words of letters and digits, as Azure's
)


class Failure(NamedTuple):
    """A failed operation, as telemetry tells it.

    Attributes:
        error_type: `error.type`.
        exception_type: `exception.type`.
        quoting: the message as it was given, which may quote content.
        plain: a message in words of our own.
        error: the exception, if the SDK raised one.
        key: the client's own key, which is never told.
    """

    error_type: str
    exception_type: str
    quoting: str
    plain: str
    error: BaseException | None = None
    key: str | None = None

    def description(self, *, content: bool) -> str:
        """The description of the span's status."""
        return self.quoting if content else self.plain

    def attributes(self, *, content: bool) -> dict[str, Attribute]:
        """The attributes of the exception event; without content no message is quoted, in the stack trace neither."""
        attributes: dict[str, Attribute] = {
            EXCEPTION_TYPE: self.exception_type,
            EXCEPTION_MESSAGE: self.description(content=content),
        }
        if self.error is not None:
            attributes[EXCEPTION_STACKTRACE] = "".join(_trace(self.error, self.key, content=content))
        return attributes


def raised(error: BaseException, key: str | None = None) -> Failure:
    """Tell of an exception of the SDK.

    Args:
        error: the exception.
        key: the client's own key, which no message may quote.
    """
    return Failure(_error_type(error), _exception_type(error), _quoting(error, key), _plain(error), error, key)


def reported(code: Any, message: Any) -> Failure:
    """Tell of a failure that the provider reports in a response, and that the SDK does not raise.

    Args:
        code: the provider's error code.
        message: what the provider says.
    """
    kind = code if isinstance(code, str) and _CODE.fullmatch(code) else "error"
    return Failure(kind, kind, _masked(message) if isinstance(message, str) else kind, kind)


def _error_type(error: BaseException) -> str:
    for source, name in ((error, "code"), (error, "type"), (member(member(error, "body"), "error"), "type")):
        code = member(source, name)
        if isinstance(code, str) and _CODE.fullmatch(code):
            return code
    return _exception_type(error)


def _exception_type(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _plain(error: BaseException) -> str:
    status = member(error, "status_code")
    known = isinstance(status, int) and status > 0  # Ollama's is -1 for an error that came within a stream
    return f"{type(error).__name__} {status}" if known else type(error).__name__


def _trace(error: BaseException, key: str | None, *, content: bool) -> Iterator[str]:
    cause = error.__cause__
    if cause is not None and cause is not error:
        yield from traceback.format_tb(cause.__traceback__)
        yield _last_line(cause, key, content=content)
        yield "\nThe above exception was the direct cause of the following exception:\n\n"
    yield "Traceback (most recent call last):\n"
    yield from traceback.format_tb(error.__traceback__)
    yield _last_line(error, key, content=content)


def _last_line(error: BaseException, key: str | None, *, content: bool) -> str:
    return f"{_exception_type(error)}: {_quoting(error, key) if content else _plain(error)}\n"


def _quoting(error: BaseException, key: str | None) -> str:
    message = _said(error)
    return _masked(message.replace(key, "***") if key else message)


def _said(error: BaseException) -> str:
    """What an exception says; applications' transports raise some that cannot."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - that it failed is still to be told
        return type(error).__name__


def _masked(message: str) -> str:
    """A message without keys: providers quote the one they refuse."""
    return _SECRET.sub(_prefixed, message).encode("utf-8", "replace").decode("utf-8")


def _prefixed(match: re.Match[str]) -> str:
    return "".join(group for group in match.groups() if group) + "***"
