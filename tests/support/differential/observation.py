"""What is seen of one run of a call: by the application, by the server, and on the way out of the process."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import io
import logging
import re
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from contract.drive import LOOP, Way
from differential.readings import Reading
from loopback import ModelServer

# Pydantic cuts a long value in its middle, and an address with it.
_ADDRESS = re.compile(r"0x[0-9a-fA-F]+|(?<=\.\.\.)x?[0-9a-fA-F]+(?=>)")
_PAUSE = re.compile(r"in [0-9.]+ seconds")  # of a random length, before a request is sent again
_UNIQUE = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}|(?<=Signature=)[0-9a-f]{64}")
_SOCKET = re.compile(r"<socket\.socket .*?>")  # with its ports
_BOUNDARY = re.compile(r"multipart/form-data; boundary=(\w+)")  # of files: a random one for each request
# Of requests: what differs between any two of them.
_VARYING = frozenset({"idempotency-key", "x-amz-date"})


@dataclass
class Observation:
    """What was seen.

    Attributes:
        seen: what the application read, and in which order.
        raised: the types of what it met at the end, from the exception through its causes and contexts, and what they say.
        requests: method, path, headers and body of what the server got.
        warned: warnings.
        logged: log records from INFO on.
        written: on stderr.
        unraisable: what was raised where nobody could catch it, and what the event loop complained about.
        given: what became of what the caller gave.
    """

    seen: list[Any] = field(default_factory=list)
    raised: list[str] = field(default_factory=list)
    requests: list[Any] = field(default_factory=list)
    warned: list[str] = field(default_factory=list)
    logged: list[tuple[str, str, str]] = field(default_factory=list)
    written: str = ""
    unraisable: list[str] = field(default_factory=list)
    given: list[Any] = field(default_factory=list)


def _plain(text: str) -> str:
    for pattern, shown in ((_SOCKET, "<socket>"), (_ADDRESS, "0x"), (_UNIQUE, "<unique>"), (_PAUSE, "in a while")):
        text = pattern.sub(shown, text)
    return text


def observe(
    way: Way, reading: Reading, call: Callable[[], Any], server: ModelServer, given: Callable[[], Any]
) -> Observation:
    """Make a call and read what comes.

    Args:
        way: sync or async.
        reading: how it is read.
        call: makes it.
        server: what it is made to.
        given: returns what became of what the caller gave.
    """
    found = Observation()
    with _watched(found):
        try:
            way.run(reading.read(call, found.seen.append))
        except BaseException as error:
            if isinstance(error, KeyboardInterrupt):
                raise
            found.raised = [*_chain(error)]
            del error
        if way.name == "async":
            LOOP(_settle())
        if reading.drops:
            gc.collect()
            if way.name == "async":
                LOOP(_settle())
        try:
            found.given = given()
        except Exception as error:
            found.given = [type(error).__name__]
    found.requests = [_request(request) for request in server.requests]
    return found


async def _settle() -> None:
    for _ in range(3):
        await asyncio.sleep(0)


def _chain(error: BaseException | None) -> Iterator[str]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        try:
            message = str(error)
        except Exception:
            message = "<no text>"
        yield _plain(f"{type(error).__module__}.{type(error).__qualname__}: {message}")
        error = error.__cause__ or error.__context__


def _request(request: Any) -> Any:
    headers = sorted((name, _plain(value)) for name, value in request.lines if name not in _VARYING)
    method, path, body = request.method, _plain(request.path), _ADDRESS.sub("0x", request.body.decode("latin-1"))
    boundary = _BOUNDARY.search(str(headers))
    if boundary is None:
        return method, path, headers, body
    plain = [(name, value.replace(boundary[1], "<boundary>")) for name, value in headers]
    return method, path, plain, body.replace(boundary[1], "<boundary>")


class Records(logging.Handler):
    """Keeps what is logged, from INFO on.

    Attributes:
        logged: logger, level and message of each record.
    """

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.logged: list[tuple[str, str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a record."""
        self.logged.append((record.name, record.levelname, _plain(record.getMessage())))


@contextlib.contextmanager
def _watched(found: Observation) -> Iterator[None]:
    """Whatever leaves the process on other ways."""
    root, handler = logging.getLogger(), Records()
    level, stderr, hook = root.level, sys.stderr, sys.unraisablehook
    written = io.StringIO()
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    sys.stderr = written
    sys.unraisablehook = lambda event: found.unraisable.append(_plain(f"{event.err_msg} {event.exc_type.__name__}"))
    try:
        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            yield
    finally:
        sys.unraisablehook, sys.stderr = hook, stderr
        root.setLevel(level)
        root.removeHandler(handler)
        found.logged = handler.logged
    found.warned = [f"{each.category.__name__}: {_plain(str(each.message))}" for each in warned]
    found.written = _plain(written.getvalue())
