"""The pipeline of a call's content before a span, an event or a completion carries it: redaction, then the budget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .._adapter.any_value import any_value
from .._adapter.parts import Dropped, Part, serialised, with_bytes
from .._masking.masking import with_size, without_size
from .truncation import MARGIN

if TYPE_CHECKING:
    from collections.abc import Callable

    from .._adapter.endpoint import Content
    from .budget import Budget
    from .redaction import Redacting, Redaction


class RenderedContent(NamedTuple):
    """Content as it is recorded.

    Attributes:
        texts: attribute -> its value as JSON text, for spans; of a value that is a text, the text itself.
        values: attribute -> its value as JSON values.
        original_bytes: the size before truncation; None if nothing was truncated.
    """

    texts: dict[str, str]
    values: Content
    original_bytes: int | None = None

    def carried(self) -> dict[str, Any]:
        """Return the values as an event carries them."""
        return {name: any_value(value, self.texts[name]) for name, value in self.values.items()}


NOTHING = RenderedContent({}, {})
_CUT = 40  # the most bytes that the mark of a truncated message takes


class _Untouched:
    """Returns content as it is, where no redaction is set."""

    def part(self, part: Part) -> Part:
        return part

    def value(self, value: Any) -> Any:
        return value


class Pipeline:
    """Prepares all content that telemetry carries.

    Args:
        redaction: what is redacted; None if nothing is.
        budget: how many bytes of content are recorded.
        binary: whether inline data is recorded with its bytes.
        limit: returns how many characters of an attribute's value OpenTelemetry's SDK keeps; None if it has no limit.
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
        """Return the budget of the settings, with the limit of OpenTelemetry's SDK for an attribute."""
        limit = self._limit()
        return self._given if limit is None else self._given._replace(attribute=limit)

    def make(self, function: Callable[..., Content], *given: Any) -> Content:
        """Return the content that `function` makes, with the bytes of inline data if the setting asks for them."""
        if not self._binary:
            return function(*given)
        token = with_bytes.set(True)
        try:
            return function(*given)
        finally:
            with_bytes.reset(token)

    def begin(self) -> Redacting | None:
        """Start the redaction of one call's content; return None where nothing is redacted."""
        return None if self._redaction is None else self._redaction.begin()

    def render(self, content: Content, redacting: Redacting | None) -> RenderedContent:
        """Return content as it is recorded; `NOTHING` if it could not be redacted."""
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
        """Return the message of an exception as it is recorded; None if nothing of it is."""
        text, cut_from = without_size(message)
        size, most = len(text.encode()), min(self._budget) - (_CUT if cut_from else 0)
        fits = size <= most
        kept: str | None = text if fits else text[: max(most, 0) + MARGIN]
        if redacting is not None and kept is not None:
            kept = redacting.words(kept)
        if kept is None or (fits and cut_from is None):
            return kept
        head = kept if fits else kept[:-MARGIN].encode()[: max(min(self._budget) - _CUT, 0)].decode("utf-8", "ignore")
        return with_size(head, cut_from or size) if head else None
