"""What is shown of a span besides its name: how long it took, what it used, what it cost, how it ended."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from rich.text import Text

from ..._conventions import names
from ..._runtime.guard import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .record import Record

FAINT = "bright_black"
_SPECIAL_TOKENS = {
    names.USAGE_CACHE_READ_INPUT_TOKENS: "from cache",
    names.USAGE_CACHE_CREATION_INPUT_TOKENS: "to cache",
    names.USAGE_CACHE_WRITE_INPUT_TOKENS: "to cache",
    names.USAGE_REASONING_OUTPUT_TOKENS: "reasoning",
}


def shown(received: object, style: str = "") -> Text:
    """Return what was received as a text to print: a model may write anything, escape sequences of terminals among it."""
    return Text(printable(str(received)), style)


def name_of(record: Record) -> Text:
    """Return the name of a span; of an HTTP request also the path and the status."""
    if record.is_call:
        return shown(record.name, "bold red" if record.failed else "bold")
    path = _path(record.text("url.full") or record.text("http.url"))
    status = record.text("http.response.status_code") or record.text("http.status_code")
    words = (record.name, "" if path in record.name else path, status)
    return shown(" ".join(filter(None, words)), "red" if record.failed else FAINT)


def facts_of(record: Record) -> list[Text]:
    """Return all else that is shown of a span, in order."""
    if record.is_call:
        return [*_of_call(record)]
    return [_error(record)] if record.failed else []


def joined(facts: Iterable[Text]) -> Text:
    """Return facts in one line."""
    line = Text()
    for number, fact in enumerate(facts):
        if number:
            line.append(" · ", FAINT)
        line.append_text(fact)
    return line


def _of_call(record: Record) -> Iterator[Text]:
    made_by = [record.text(names.PROVIDER_NAME), _model(record)]
    if any(made_by):
        yield shown(" ".join(filter(None, made_by)), FAINT)
    if (first := record.number(names.RESPONSE_TIME_TO_FIRST_CHUNK)) is not None:
        yield Text(f"first chunk {duration(first)}")
    yield from _tokens(record)
    if (cost := record.number(names.USAGE_COST)) is not None:
        yield Text(dollars(cost))
    yield from _result(record)


def _model(record: Record) -> str:
    """Return the model that answered, or the one that was asked for, unless the name of the span has it."""
    answered, asked = record.text(names.RESPONSE_MODEL), record.text(names.REQUEST_MODEL)
    model = answered or asked
    return "" if model in record.name.split() else model


def _tokens(record: Record) -> Iterator[Text]:
    used = [record.number(name) for name in (names.USAGE_INPUT_TOKENS, names.USAGE_OUTPUT_TOKENS)]
    if used == [None, None]:
        return
    special = {word: record.number(name) for name, word in _SPECIAL_TOKENS.items() if record.number(name)}
    among = ", ".join(f"{count:,.0f} {word}" for word, count in special.items())
    yield Text.assemble(f"{tokens(*used)} tokens", (f" ({among})" if among else "", FAINT))


def _result(record: Record) -> Iterator[Text]:
    """How it ended. Where it did not fail, the finish reason `error` is the conventions' word for one that never came."""
    reasons = record.attributes.get(names.RESPONSE_FINISH_REASONS, ())
    reasons = (reasons,) if isinstance(reasons, str) else reasons
    if record.failed:
        yield _error(record)
    elif "error" in reasons:
        yield Text("not read to its end", "yellow")
    elif reasons:
        yield shown(", ".join(map(str, reasons)), "green")
    if retries := record.number(names.HTTP_REQUEST_RESEND_COUNT):
        yield Text(f"after {retries:.0f} {'retry' if retries == 1 else 'retries'}", "yellow")


def _error(record: Record) -> Text:
    """Return the type of an error, and what it says if that was recorded."""
    kind = record.text("error.type") or "error"
    detail = "" if record.description in {"", kind} else f": {record.description}"
    return shown(f"✗ {kind}{detail}", "red")


def _path(url: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError:  # such as an IPv6 address that has no end
        return ""


def tokens(given: float | None, made: float | None) -> str:
    """Write how many tokens went in and came out."""
    return " → ".join("-" if count is None else f"{count:,.0f}" for count in (given, made))


def duration(seconds: float) -> str:
    """Write a duration with three digits or so."""
    if seconds < 0.00005:
        return "<0.1 ms"
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms" if seconds >= 0.00995 else f"{seconds * 1000:.1f} ms"
    if seconds < 99.95:
        return f"{seconds:.3g} s"
    return f"{seconds // 60:,.0f} min {seconds % 60:02.0f} s"


def dollars(cost: float) -> str:
    """Write a cost in US dollars: cents, and of less than ten cents two digits at least."""
    return f"${cost:,.2f}" if cost >= 0.1 or not cost else f"${cost:.{_places(cost)}f}"


def _places(cost: float) -> int:
    """Return how many decimals show two digits of a small number, from four to nine."""
    places = 4
    while places < 9 and abs(cost) * 10**places < 10:
        places += 1
    return places
