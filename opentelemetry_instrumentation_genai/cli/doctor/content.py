"""The settings of this package, and in plain words whether content is recorded, and where it goes."""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from logging.handlers import BufferingHandler
from typing import TYPE_CHECKING

from ..._runtime import guard
from ..._settings.config import resolve, variable
from ..._settings.misspelled import misspelled
from ..._settings.readers import FILE, PREFIX, READERS
from ..settings import settings
from .finding import found

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from ..._settings.config import Config
    from .finding import Finding

_OURS = __name__.partition(".")[0]


def check(*, logs: bool) -> Iterator[Finding]:
    """Yield what is true of the settings and of content.

    Args:
        logs: whether logs are exported, by which events go.
    """
    rows = settings()
    yield from _misspelled()
    if all(row.source == "default" for row in rows):
        yield found("setting.defaults")
    for row in rows:
        if row.problem:
            yield found("setting.refused", name=row.name, source=row.source, problem=row.problem)
        elif row.source != "default":
            meaning = row.meaning[:1].lower() + row.meaning[1:]
            yield found("setting.set", name=row.name, value=row.value, source=row.source, meaning=meaning)
    with _logged() as messages:
        config = resolve({})
    for message in messages:
        if message.startswith((f"{FILE}=", "Unknown s")):  # all others are in the table of settings
            yield found("setting.logged", message=message)
    yield from _content(config, logs=logs)


def _misspelled() -> Iterator[Finding]:
    known = {variable(name) for name in READERS}
    near = dict(misspelled(PREFIX, known, os.environ))
    for name, nearest in near.items():
        yield found("variable.misspelled", name=name, nearest=nearest)
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in known and name not in near:
            yield found("variable.unknown", name=name)


@contextmanager
def _logged() -> Generator[list[str], None, None]:
    """Collect the warnings of this package, also those that were logged before; nobody else gets them."""
    logger, handler, messages = logging.getLogger(_OURS), BufferingHandler(1 << 20), list[str]()
    reported, propagate = set(guard._reported), logger.propagate
    guard._reported.clear()
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield messages
    finally:
        messages += [record.getMessage() for record in handler.buffer]
        logger.removeHandler(handler)
        logger.propagate = propagate
        guard._reported.update(reported)


def _content(config: Config, *, logs: bool) -> Iterator[Finding]:
    capture = config.capture_message_content
    wanted = capture.span or capture.event
    if config.refused:
        yield found("content.refused") if wanted else found("content.off")
        return
    if config.completion_hook is not None:
        yield found("content.hook", hook=config.completion_hook.name)
    if not wanted:
        yield found("content.off")
        return
    where = " and ".join(name for name, there in (("on spans", capture.span), ("in events", capture.event)) if there)
    which = (
        " of calls that failed"
        if capture.failed
        else ""
        if capture.share >= 1
        else f" of a share of {capture.share} of the traces"
    )
    yield found("content.on", where=where, which=which, redaction=_redaction(config))
    if capture.event and config.emit_event is not False:
        yield found("content.events") if logs else found("content.no_logs")


def _redaction(config: Config) -> str:
    """Return in words what is redacted."""
    names = [redactor for redactor, _ in (config.redact.redactors if config.redact else ())]
    rules = (
        sorted({rule.name for rule in config.redact.rules} | {own.name for own in config.redact.patterns})
        if config.redact
        else []
    )
    if config.redactor is not None:
        names.append(config.redactor[0])
    parts = [f"the rules {', '.join(rules)}"] * bool(rules) + [f"your {', '.join(names)}"] * bool(names)
    return f"after redaction by {' and '.join(parts)}" if parts else "without redaction"
