"""Failures of operations, and what telemetry records of them.

`error.type` is the provider's own error code where it has one in words (`rate_limit_exceeded`, `invalid_request_error`), else
the qualified name of the exception; where there is none, its number. On metrics it is bounded: a server may put anything into a
code. Messages can quote prompts and keys, so they are written only with content capture.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeAlias

from .._conventions.names import EXCEPTION_MESSAGE, EXCEPTION_STACKTRACE, EXCEPTION_TYPE
from .._masking.masking import SHORT, masked, masked_whole, without
from .fields import as_sent, integer, member
from .stack_trace import StackTrace

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .fields import Attribute
    from .stack_trace import Mask

# A number only repeats the HTTP status, and LiteLLM writes out that there is none.
_CODE = re.compile(r"(?!None$)[A-Za-z][\w.:-]{0,63}")
_NUMBER = re.compile(r"-?\d{1,6}")
# What metrics take: words, and the numbers that are in use as statuses and codes, those that JSON-RPC reserves among them.
_BOUNDED = re.compile(r"[A-Za-z_]{1,64}|\d{1,4}|-32\d{3}")
_UNNAMED = "error"  # of a failure that has neither a code nor an exception
Words: TypeAlias = "Callable[[str], str | None]"
"""The message of an exception -> the text to record for it; None if it must not be recorded."""


@dataclass(frozen=True)
class Failure:
    """A failed operation, as telemetry records it.

    Attributes:
        error_type: `error.type`.
        exception_type: `exception.type`.
        plain: a message in words of our own.
        error: the exception, if the SDK raised one.
        message: the provider's error message, if there is no exception.
        secrets: the client's own credentials, which are never recorded.
    """

    error_type: str
    exception_type: str
    plain: str
    error: BaseException | None = None
    message: str | None = None
    secrets: Sequence[str] = ()

    @property
    def measured(self) -> str:
        """Return the `error.type` of metrics, bounded: a code of letters and underscores, a short number, or the exception."""
        if _BOUNDED.fullmatch(self.error_type):
            return self.error_type
        return _UNNAMED if self.error is None else self.exception_type

    @cached_property
    def quoting(self) -> str:
        """Return the message with keys masked; it may quote content. It is made once for span, event and stack trace."""
        if self.error is not None:
            return _quoting(self.error, self.secrets)
        return self.plain if self.message is None else masked(self.message, self.secrets)

    def with_secrets_masked(self, secrets: Sequence[str]) -> Failure:
        """Return the failure of a call with these credentials, of which the provider's code may be one."""
        if without(self.error_type, secrets) == self.error_type:
            return replace(self, secrets=secrets)
        return Failure(_UNNAMED, _UNNAMED, _UNNAMED, message=self.message, secrets=secrets)

    def description(self, words: Words | None = None) -> str:
        """Return the description of the span's status; without `words`, or where they return None, it quotes no message."""
        text = None if words is None else words(self.quoting)
        return self.plain if text is None else text

    def attributes(self, words: Words | None = None) -> dict[str, Attribute]:
        """Return the attributes of the exception event; without `words`, they quote no message and no source line."""
        attributes: dict[str, Attribute] = {
            EXCEPTION_TYPE: self.exception_type,
            EXCEPTION_MESSAGE: self.description(words),
        }
        if self.error is not None:
            trace = None if words is None else words(self._trace(self.error))
            attributes[EXCEPTION_STACKTRACE] = trace or _bare_trace(self.error, self.secrets)
        return attributes

    def _trace(self, error: BaseException) -> str:
        """Return the stack trace of the exception, with messages and source lines."""

        def last_line(one: BaseException) -> str:
            return f"{_exception_type(one)}: {self.quoting if one is error else _quoting(one, self.secrets)}"

        short = [secret for secret in self.secrets if len(secret) < SHORT]

        def source(text: str, *, end: int | None = None) -> str:
            # What is whole is looked at again, together with its frame, for all that rules find.
            return without(text, short) if end is None else masked_whole(text, self.secrets, end)

        return StackTrace(_frames(self.secrets), last_line, source).of(error)


def raised(error: BaseException, secrets: Sequence[str] = ()) -> Failure:
    """Return the failure for an exception that the SDK raised.

    Args:
        error: the exception.
        secrets: the client's own credentials, which no message may quote.
    """
    return Failure(_error_type(error, secrets), _exception_type(error), _plain(error), error, secrets=secrets)


def reported(code: Any, message: Any) -> Failure:
    """Return the failure that the provider reports in a response without the SDK raising it.

    Args:
        code: the provider's error code, a word or a number.
        message: the provider's error message.
    """
    kind = str.__str__(code) if _is_code(code) else _number(code) or _UNNAMED
    return Failure(kind, kind, kind, message=message if isinstance(message, str) else None)


def reported_error(error: Any) -> Failure | None:
    """Return the failure that the `error` member of a response reports; None where it is empty.

    Args:
        error: an object with a `code`, a `type` and a `message`, of which any may be missing, or only the message. As with
            exceptions a code in words counts before a type, and both before a number.
    """
    if not error:
        return None
    if isinstance(error, str):
        return reported(None, error)
    code, kind = member(error, "code"), member(error, "type")
    named = next((name for name in (code, kind) if _is_code(name)), code)
    return reported(named, member(error, "message"))


def _number(code: object) -> str | None:
    """Return a numeric code as text; None if it is no number, or too large."""
    if isinstance(code, str):
        return str.__str__(code) if _NUMBER.fullmatch(code) else None
    number = integer(code)
    return None if number is None or abs(number) > 999_999 else str(number)


def _error_type(error: BaseException, secrets: Sequence[str]) -> str:
    for source, name in (
        (error, "code"),
        (error, "type"),
        (member(member(error, "body"), "error"), "type"),
        (member(member(error, "response"), "Error"), "Code"),  # of botocore
        (error, "status"),  # of Google
    ):
        code = member(source, name)
        if _is_code(code) and without(code, secrets) == code:
            return str.__str__(code)
    return _exception_type(error)


def _is_code(code: object) -> bool:
    """Return whether a code is a word that is safe to record; a server may echo a key there as well."""
    if not isinstance(code, str) or not _CODE.fullmatch(code):
        return False
    return code.replace("_", "").isalpha() or code == masked(code)


def _exception_type(error: BaseException) -> str:
    kind = type(error)
    return kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _plain(error: BaseException) -> str:
    for name in ("status_code", "code"):  # the second is Google's: its other code is the status
        status = member(error, name)
        if isinstance(status, int) and status > 0:  # Ollama's is -1 for an error that came within a stream
            return f"{type(error).__name__} {as_sent(status)}"
    return type(error).__name__


def _bare_trace(error: BaseException, secrets: Sequence[str]) -> str:
    """Return the stack trace of an exception without any message and any source line."""
    return StackTrace(_frames(secrets), lambda one: f"{_exception_type(one)}: {_plain(one)}").of(error)


def _frames(secrets: Sequence[str]) -> Mask:
    """Return what masks frames. A placeholder as the client's key, such as `openai`, is not masked in the paths of files."""
    return partial(masked_whole, secrets=[secret for secret in secrets if len(secret) >= SHORT])


def _quoting(error: BaseException, secrets: Sequence[str]) -> str:
    return masked(_message(error), secrets)


def _message(error: BaseException) -> str:
    """Return the message of an exception; `str` fails for some that applications' transports raise."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - the failure itself is still recorded
        return type(error).__name__
