"""What becomes of the content of a call before span, event or anything else carries it: redaction, then the budget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .._adapter.any_value import any_value
from .._adapter.parts import Dropped, Part, serialised, with_bytes
from .._masking.masking import with_size, without_size
from .truncation import MARGIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._adapter.operation import Content
    from .budget import Budget
    from .redaction import Redacting, Redaction


class RenderedContent(NamedTuple):
    """Content as it is told.

    Attributes:
        texts: attribute -> its value as JSON text, for spans.
        values: attribute -> its value as JSON values.
        original_bytes: how many bytes it had, if not all of it is told.
    """

    texts: dict[str, str]
    values: Content
    original_bytes: int | None = None

    def carried(self) -> dict[str, Any]:
        """Return the values as an event carries them."""
        return {name: any_value(value, self.texts[name]) for name, value in self.values.items()}


NOTHING = RenderedContent({}, {})
_CUT = 40  # bytes that the mark of what was cut takes at most


class _Untouched:
    """Where nothing is redacted."""

    def part(self, part: Part) -> Part:
        return part

    def value(self, value: Any) -> Any:
        return value


class Pipeline:
    """The one way of content into telemetry.

    Args:
        redaction: what is redacted, if anything.
        budget: how much of it is told.
        binary: whether inline data is told as such.
        limit: the characters of an attribute's value that OpenTelemetry's SDK keeps; None if it has no limit.
    """

    def __init__(
        self,
        redaction: Redaction | None,
        budget: Budget,
        *,
        binary: bool = False,
        limit: Callable[[], int | None] = lambda: None,
    ) -> None:
        self._redaction = redaction
        self._given = budget
        self._binary = binary
        self._limit = limit

    @property
    def _budget(self) -> Budget:
        """The smaller of what the settings and what OpenTelemetry's SDK allow."""
        limit = self._limit()
        return self._given if limit is None else self._given._replace(attribute=limit)

    def make(self, function: Callable[..., Content], *given: Any) -> Content:
        """Have content made, with the bytes of what is inline if they are wanted."""
        if not self._binary:
            return function(*given)
        token = with_bytes.set(True)
        try:
            return function(*given)
        finally:
            with_bytes.reset(token)

    def begin(self) -> Redacting | None:
        """Start with a call; None where nothing is redacted."""
        return None if self._redaction is None else self._redaction.begin()

    def render(self, content: Content, redacting: Redacting | None) -> RenderedContent:
        """Content as it may be told; nothing, if it could not be redacted."""
        texts: dict[str, str] = {}
        for name, value in content.items():
            texts[name], content[name] = serialised(value)
        sizes = [len(text) if text.isascii() else len(text.encode()) for text in texts.values()]
        budget = self._budget
        try:
            if budget.allows(sizes) and (redacting is None or not redacting.needed([*content.values()])):
                return RenderedContent(texts, content)
            kept, cut = budget.spend(content, redacting or _Untouched())
        except Dropped:
            return NOTHING
        for name in kept:
            texts[name], kept[name] = serialised(kept[name])
        return RenderedContent({name: texts[name] for name in kept}, kept, sum(sizes) if cut else None)

    def words(self, redacting: Redacting | None, message: str) -> str | None:
        """The message of an exception as it may be told; None if nothing of it may."""
        text, cut_from = without_size(message)
        size, most = len(text.encode()), min(self._budget) - (_CUT if cut_from else 0)
        fits = size <= most
        told: str | None = text if fits else text[: max(most, 0) + MARGIN]
        if redacting is not None and told is not None:
            told = redacting.words(told)
        if told is None or (fits and cut_from is None):
            return told
        head = told if fits else told[:-MARGIN].encode()[: max(min(self._budget) - _CUT, 0)].decode("utf-8", "ignore")
        return with_size(head, cut_from or size) if head else None
