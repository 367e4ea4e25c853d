"""The generations of the conventions, as data: the names of the metrics in each, and the attributes that it does not have.

Source: the metrics, spans and message schemas of the GenAI conventions, v1.41 (published with the general ones) and latest (in
the repository of their own).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from . import names
from .generation_names import GENERATION_NAMES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_T = TypeVar("_T")


class Tokens(NamedTuple):
    """A histogram of token counts.

    Attributes:
        metric: its name.
        description: of it.
        attribute: of the response, that has the count.
        token_type: the attribute `gen_ai.token.type` of its points; None where they have none.
        refined: whether the page of a provider adds attributes of its own to it.
    """

    metric: str
    description: str
    attribute: str
    token_type: str | None = None
    refined: bool = False


class Usage(NamedTuple):
    """A counter of tokens by their modality.

    Attributes:
        metric: its name.
        description: of it.
        attribute: of the response, that has the total.
        parts: (modality, attribute) pairs of the parts of the total, as far as a provider reports them.
    """

    metric: str
    description: str
    attribute: str
    parts: tuple[tuple[str, str], ...] = ()


class Measures(NamedTuple):
    """The metrics of an operation: for each thing that is measured the histograms that it goes into, one, several or none.

    Attributes:
        duration: of the call, in seconds.
        first_chunk: seconds to the first chunk of a stream.
        per_chunk: seconds for each chunk after the first.
        tokens: of the tokens of a call.
        usage: the counters of tokens.
    """

    duration: tuple[str, ...]
    first_chunk: tuple[str, ...] = ()
    per_chunk: tuple[str, ...] = ()
    tokens: tuple[Tokens, ...] = ()
    usage: tuple[Usage, ...] = ()


class Generation(NamedTuple):
    """What one generation emits.

    Attributes:
        schema_url: of what is emitted; None where none is published.
        inference: the metrics of operations by which a model generates something.
        others: the metrics of all other operations.
        fetched: those of a response that is read again.
        workflows: those of a workflow.
        missing: attributes of a response that it does not have.
        missing_in_messages: members of an output message that it does not have.
    """

    schema_url: str | None
    inference: Measures
    others: Measures
    fetched: Measures
    workflows: Measures
    missing: frozenset[str] = frozenset()
    missing_in_messages: frozenset[str] = frozenset()

    @property
    def measures(self) -> dict[str, Measures]:
        """Return the metrics by the group of operations that has them, as `OperationKind.metrics` names it."""
        return {
            "inference": self.inference,
            "fetched": self.fetched,
            "others": self.others,
            "workflows": self.workflows,
            "agents": _AGENTS,
            "programs": self._programs,
            "tools": _TOOLS,
            "mcp": _MCP,
            "none": Measures(duration=()),
        }

    @property
    def _programs(self) -> Measures:
        """Return those of an agent with usage: its tokens are of several inferences, so that no histogram of each has them."""
        tokens = tuple(row for row in self.inference.tokens if row.token_type is not None)
        return Measures(_AGENTS.duration, tokens=tokens, usage=self.inference.usage)

    def split(self) -> Generation:
        """Return the generation with the latest one's counters of the parts of a total added, if it has none of its own."""
        if self.inference.usage:
            return self
        return self._replace(inference=self.inference._replace(usage=PARTS), fetched=self.fetched._replace(usage=PARTS))

    @property
    def counted(self) -> frozenset[str]:
        """Return the attributes of a response that the token metrics of the generation need."""
        return frozenset({*_counted(self.inference), *_counted(self.others)})


def _counted(measures: Measures) -> Iterator[str]:
    for tokens in measures.tokens:
        yield tokens.attribute
    for usage in measures.usage:
        yield usage.attribute
        for _, attribute in usage.parts:
            yield attribute


# Counters of their own: as types of token in one histogram they would count twice.
PARTS: Final = (
    Usage(
        names.METRIC_USAGE_CACHE_READ_INPUT_TOKENS,
        "Input tokens read from a cache of the provider.",
        names.USAGE_CACHE_READ_INPUT_TOKENS,
        (
            ("text", names.USAGE_TEXT_CACHE_READ_INPUT_TOKENS),
            ("image", names.USAGE_IMAGE_CACHE_READ_INPUT_TOKENS),
            ("audio", names.USAGE_AUDIO_CACHE_READ_INPUT_TOKENS),
        ),
    ),
    Usage(
        names.METRIC_USAGE_CACHE_WRITE_INPUT_TOKENS,
        "Input tokens written to a cache of the provider.",
        names.USAGE_CACHE_WRITE_INPUT_TOKENS,
    ),
    Usage(
        names.METRIC_USAGE_REASONING_OUTPUT_TOKENS,
        "Output tokens used for reasoning.",
        names.USAGE_REASONING_OUTPUT_TOKENS,
    ),
)
_BY_TYPE = Measures(
    duration=(names.METRIC_DURATION,),
    first_chunk=(names.METRIC_TIME_TO_FIRST_CHUNK,),
    per_chunk=(names.METRIC_TIME_PER_OUTPUT_CHUNK,),
    tokens=tuple(
        Tokens(
            names.METRIC_TOKEN_USAGE,
            "Number of input and output tokens used.",
            attribute,
            token_type,
            refined=True,
        )
        for token_type, attribute in (("input", names.USAGE_INPUT_TOKENS), ("output", names.USAGE_OUTPUT_TOKENS))
    ),
)
_BY_MODALITY = Measures(
    duration=(names.METRIC_INFERENCE_DURATION,),
    first_chunk=(names.METRIC_INFERENCE_TIME_TO_FIRST_CHUNK,),
    per_chunk=(names.METRIC_INFERENCE_TIME_PER_OUTPUT_CHUNK,),
    tokens=(
        Tokens(names.METRIC_INFERENCE_INPUT_TOKENS, "Input tokens of an inference.", names.USAGE_INPUT_TOKENS),
        Tokens(names.METRIC_INFERENCE_OUTPUT_TOKENS, "Output tokens of an inference.", names.USAGE_OUTPUT_TOKENS),
    ),
    usage=(
        Usage(
            names.METRIC_USAGE_INPUT_TOKENS,
            "Input tokens used, cached ones included.",
            names.USAGE_INPUT_TOKENS,
            (
                ("text", names.USAGE_TEXT_INPUT_TOKENS),
                ("image", names.USAGE_IMAGE_INPUT_TOKENS),
                ("audio", names.USAGE_AUDIO_INPUT_TOKENS),
            ),
        ),
        Usage(
            names.METRIC_USAGE_OUTPUT_TOKENS,
            "Output tokens used, those of reasoning included.",
            names.USAGE_OUTPUT_TOKENS,
            (
                ("text", names.USAGE_TEXT_OUTPUT_TOKENS),
                ("image", names.USAGE_IMAGE_OUTPUT_TOKENS),
                ("audio", names.USAGE_AUDIO_OUTPUT_TOKENS),
            ),
        ),
        *PARTS,
    ),
)

_AGENTS = Measures(duration=(names.METRIC_AGENT_DURATION,))
_TOOLS = Measures(duration=(names.METRIC_TOOL_DURATION,))
_MCP = Measures(duration=(names.METRIC_MCP_OPERATION_DURATION,))

# What is newer than v1.41 and takes no name of it away is in both: `cache_write` beside `cache_creation`, tokens by modality.
V1_41: Final = Generation(
    "https://opentelemetry.io/schemas/1.41.0",
    inference=_BY_TYPE,
    others=_BY_TYPE,
    fetched=_BY_TYPE,
    workflows=Measures(duration=(names.METRIC_WORKFLOW_DURATION,)),
)
LATEST: Final = Generation(
    None,
    inference=_BY_MODALITY,
    others=Measures(duration=(names.METRIC_DURATION,)),
    # Its own duration, and the tokens of the inference that ran in the background.
    fetched=Measures(duration=(names.METRIC_DURATION,), tokens=_BY_MODALITY.tokens, usage=_BY_MODALITY.usage),
    workflows=Measures(duration=(names.METRIC_INVOKE_WORKFLOW_DURATION,)),
    missing=frozenset({names.USAGE_CACHE_CREATION_INPUT_TOKENS}),
    missing_in_messages=frozenset({"finish_reason"}),  # deprecated: the attribute of the span has all of them
)


def _each(one: tuple[_T, ...], other: tuple[_T, ...]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys((*one, *other)))


def _both(one: Measures, other: Measures) -> Measures:
    return Measures(
        duration=_each(one.duration, other.duration),
        first_chunk=_each(one.first_chunk, other.first_chunk),
        per_chunk=_each(one.per_chunk, other.per_chunk),
        tokens=(*one.tokens, *other.tokens),
        usage=(*one.usage, *other.usage),
    )


DUP: Final = Generation(
    V1_41.schema_url,
    inference=_both(V1_41.inference, LATEST.inference),
    others=_both(V1_41.others, LATEST.others),
    fetched=_both(V1_41.fetched, LATEST.fetched),
    workflows=_both(V1_41.workflows, LATEST.workflows),
    missing=V1_41.missing & LATEST.missing,
    missing_in_messages=V1_41.missing_in_messages & LATEST.missing_in_messages,
)
GENERATIONS: Final[Mapping[str, Generation]] = dict(zip(GENERATION_NAMES, (V1_41, LATEST, DUP), strict=True))
"""The name of each in the setting, in ascending order of precedence -> the generation."""
