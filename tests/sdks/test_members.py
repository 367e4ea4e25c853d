"""Each member of the types in which Google and Amazon report usage, prices, ends and blocks is read, or listed here with the reason.

The types are those of the installed SDK, so that a release with one more member or value fails here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from opentelemetry_instrumentation_genai._adapter.endpoint import Endpoint
from opentelemetry_instrumentation_genai._cost.units import UNITS
from opentelemetry_instrumentation_genai.sdks.bedrock._converse import CONVERSE, COUNT_TOKENS
from opentelemetry_instrumentation_genai.sdks.bedrock._invocation import by_headers, invoked
from opentelemetry_instrumentation_genai.sdks.google_genai._embeddings import EMBED_CONTENT
from opentelemetry_instrumentation_genai.sdks.google_genai._generate_content import GENERATE_CONTENT

WORDS = {"stop", "length", "content_filter", "tool_call", "error"}
"""The finish reasons of the conventions; any other is the provider's word."""


def recorded(endpoint: Endpoint, response: Any) -> tuple[Any, ...]:
    """All that is made of a response."""
    found = endpoint.response.read(response)
    reasons = endpoint.finish_reasons(response, False)
    content = endpoint.output_content(response, reasons)
    return found, reasons, content, endpoint.billing(response), endpoint.timings(response, found)


def at(response: Any, path: Iterable[str | int]) -> Any:
    """What stands at a path in a response."""
    for step in path:
        response = response[step]
    return response


def without(response: Any, path: tuple[str | int, ...], name: str) -> Any:
    """A copy of a response without one member of what stands at a path."""
    if not path:
        return {key: value for key, value in response.items() if key != name}
    step, *rest = path
    changed = without(response[step], tuple(rest), name)
    if isinstance(step, int):
        return [changed if place == step else value for place, value in enumerate(response)]
    return {**response, step: changed}


def check(
    endpoint: Endpoint, response: Any, path: tuple[str | int, ...], members: Iterable[str], listed: Mapping[str, str]
) -> None:
    """Check that what is recorded depends on each member of what stands at a path, but for those that are listed."""
    whole, held = recorded(endpoint, response), at(response, path)
    for name in members:
        if name not in listed:
            assert name in held, f"{name} is new: read it, or list it with the reason"
        assert (recorded(endpoint, without(response, path, name)) == whole) == (name in listed), name


GOOGLE = {
    "responseId": "r-1",
    "modelVersion": "gemini-3",
    "promptFeedback": {"blockReason": "SAFETY", "blockReasonMessage": "no", "safetyRatings": [{"blocked": True}]},
    "candidates": [
        {
            "content": {"role": "model", "parts": [{"text": "Hello"}]},
            "finishReason": "STOP",
            "finishMessage": "done",
            "tokenCount": 4,
            "index": 0,
        }
    ],
    "usageMetadata": {
        "promptTokenCount": 10,
        "cachedContentTokenCount": 2,
        "toolUsePromptTokenCount": 3,
        "candidatesTokenCount": 4,
        "thoughtsTokenCount": 5,
        "totalTokenCount": 22,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 10}],
        "cacheTokensDetails": [{"modality": "TEXT", "tokenCount": 2}],
        "toolUsePromptTokensDetails": [{"modality": "TEXT", "tokenCount": 3}],
        "candidatesTokensDetails": [{"modality": "TEXT", "tokenCount": 4}],
        "trafficType": "ON_DEMAND_PRIORITY",
    },
}
OF_THE_SDK = "the SDK's own, not the provider's"
GOOGLE_LISTED: dict[tuple[str | int, ...], dict[str, str]] = {
    (): {
        "sdkHttpResponse": OF_THE_SDK,
        "automaticFunctionCallingHistory": OF_THE_SDK,
        "parsed": OF_THE_SDK,
        "createTime": "the span has its own times",
        "modelStatus": "of the model, not of the call: whether it will be retired",
    },
    ("usageMetadata",): {"totalTokenCount": "the sum; it counts where the output has no count"},
    ("promptFeedback",): {
        "blockReasonMessage": "a text, of which the block reason is the code",
        "safetyRatings": "probabilities for each category; the block reason says what follows from them",
    },
    ("candidates", 0): {
        "citationMetadata": "sources, for which the conventions have no part",
        "groundingMetadata": "sources, for which the conventions have no part",
        "urlContextMetadata": "sources, for which the conventions have no part",
        "finishMessage": "a text, of which the finish reason is the code",
        "tokenCount": "a share of the output tokens, which the usage counts",
        "avgLogprobs": "probabilities, for which the conventions have no attribute",
        "logprobsResult": "probabilities, for which the conventions have no attribute",
        "safetyRatings": "probabilities for each category; the finish reason says what follows from them",
        "index": "the place in the list; chunks are joined by it",
        "continuationToken": "nothing but what the next request sends back",
    },
}
GOOGLE_TYPES = {
    (): "GenerateContentResponse",
    ("usageMetadata",): "GenerateContentResponseUsageMetadata",
    ("usageMetadata", "promptTokensDetails", 0): "ModalityTokenCount",
    ("promptFeedback",): "GenerateContentResponsePromptFeedback",
    ("candidates", 0): "Candidate",
}
ITS_OWN_WORD = (
    "none of the conventions' words is right: neither the end, nor a limit, nor a filter, nor a call of a tool"
)
GOOGLE_WORDS = dict.fromkeys(
    (
        *("LANGUAGE", "NO_IMAGE", "MALFORMED_FUNCTION_CALL", "MALFORMED_RESPONSE", "UNEXPECTED_TOOL_CALL"),
        *("TOO_MANY_TOOL_CALLS", "MISSING_THOUGHT_SIGNATURE", "ESCALATION", "PUP_LIMITED_DISABLED", "CONTINUATION"),
    ),
    ITS_OWN_WORD,
)
IN_THE_TOTAL = (
    "the conventions have no attribute for it; it is in the total, and in the metric by modality as `unknown`"
)
MODALITIES = {"MODALITY_UNSPECIFIED": IN_THE_TOTAL, "VIDEO": IN_THE_TOTAL, "DOCUMENT": IN_THE_TOTAL}


@pytest.fixture
def google() -> Any:
    """The types of the SDK."""
    return pytest.importorskip("google.genai").types


def wire_names(kind: Any) -> list[str]:
    """The members of a type of Google's SDK, as the API names them."""
    return [field.alias or name for name, field in kind.model_fields.items()]


@pytest.mark.parametrize("path", GOOGLE_TYPES, ids=GOOGLE_TYPES.get)
def test_members_of_google(google: Any, path: tuple[str | int, ...]) -> None:
    """Of a response, its usage, its candidates, and why a prompt was blocked."""
    members = wire_names(getattr(google, GOOGLE_TYPES[path]))
    check(GENERATE_CONTENT, GOOGLE, path, members, GOOGLE_LISTED.get(path, {}))


def test_finish_reasons_of_google(google: Any) -> None:
    """Each is a word of the conventions, or the provider's own."""
    for reason in google.FinishReason:
        [found] = GENERATE_CONTENT.finish_reasons({"candidates": [{"finishReason": reason.value}]}, False)
        assert found in (WORDS if reason.value not in GOOGLE_WORDS else {reason.value}), reason


def test_block_reasons_of_google(google: Any) -> None:
    """Whatever blocks a prompt is a filter."""
    for reason in google.BlockedReason:
        feedback = {"promptFeedback": {"blockReason": reason.value}}
        assert GENERATE_CONTENT.finish_reasons(feedback, False) == ["content_filter"], reason


@pytest.mark.parametrize("details", ["promptTokensDetails", "cacheTokensDetails", "candidatesTokensDetails"])
def test_modalities_of_google(google: Any, details: str) -> None:
    """The tokens of each have an attribute, but for those that the conventions do not name."""
    for modality in google.MediaModality:
        usage = {details: [{"modality": modality.value, "tokenCount": 3}]}
        found = GENERATE_CONTENT.response.read({"usageMetadata": usage})
        assert [*found.values()] == ([] if modality.value in MODALITIES else [3]), modality


def test_traffic_of_google(google: Any) -> None:
    """The usual traffic has the usual price; any other has one of its own, or none that a list knows."""
    usual = {"TRAFFIC_TYPE_UNSPECIFIED", "ON_DEMAND"}
    for traffic in google.TrafficType:
        terms = GENERATE_CONTENT.billing({"usageMetadata": {"trafficType": traffic.value}}).terms
        assert (terms == {}) == (traffic.value in usual), traffic
        assert {*terms} <= {"service_tier"}


EMBEDDED = {
    "embeddings": [{"values": [0.5], "statistics": {"tokenCount": 3, "truncated": False}}],
    "metadata": {"billableCharacterCount": 9},
    "usageMetadata": {"promptTokenCount": 3},
}
EMBEDDED_LISTED = {
    "sdkHttpResponse": OF_THE_SDK,
    "embeddings": "vectors; their statistics are read of `predict` alone, and the usage counts the tokens here",
    "metadata": "characters, which older models are billed by, and the conventions do not count",
    "truncated": "whether an input was cut",
}


def test_members_of_embeddings_of_google(google: Any) -> None:
    """Of the response to a request of the Gemini API."""
    check(EMBED_CONTENT, EMBEDDED, (), wire_names(google.EmbedContentResponse), EMBEDDED_LISTED)


AMAZON = {
    "output": {"message": {"role": "assistant", "content": [{"text": "Hello"}]}},
    "stopReason": "guardrail_intervened",
    "usage": {
        "inputTokens": 11,
        "outputTokens": 7,
        "totalTokens": 33,
        "cacheReadInputTokens": 9,
        "cacheWriteInputTokens": 6,
        "cacheDetails": [{"ttl": "5m", "inputTokens": 2}, {"ttl": "1h", "inputTokens": 4}],
    },
    "metrics": {"latencyMs": 800},
    "additionalModelResponseFields": {"stop_sequence": "."},
    "trace": {"promptRouter": {"invokedModelId": "m"}, "guardrail": {"actionReason": "Guardrail blocked."}},
    "performanceConfig": {"latency": "optimized"},
    "serviceTier": {"type": "flex"},
}
OF_MODELS = "whatever a request has asked a model for; its names are the model's"
AMAZON_LISTED: dict[tuple[str | int, ...], dict[str, str]] = {
    (): {"additionalModelResponseFields": OF_MODELS},
    ("usage",): {"totalTokens": "the sum; it counts where the input has the cached tokens in it"},
    ("trace",): {"guardrail": "a report of each filter; the stop reason says that one has intervened"},
}
AMAZON_TYPES = {
    (): ("ConverseResponse", "ConverseStreamMetadataEvent", "MessageStopEvent"),
    ("usage",): ("TokenUsage",),
    ("usage", "cacheDetails", 1): ("CacheDetail",),
    ("metrics",): ("ConverseMetrics", "ConverseStreamMetrics"),
    ("trace",): ("ConverseTrace", "ConverseStreamTrace"),
    ("trace", "promptRouter"): ("PromptRouterTrace",),
    ("performanceConfig",): ("PerformanceConfiguration",),
    ("serviceTier",): ("ServiceTier",),
}
AMAZON_WORDS = dict.fromkeys(("malformed_model_output", "malformed_tool_use"), ITS_OWN_WORD)


@pytest.fixture(scope="module")
def amazon() -> Any:
    """The model of the service that botocore has. Of older releases it has fewer types."""
    return pytest.importorskip("botocore.session").get_session().get_service_model("bedrock-runtime")


@pytest.mark.parametrize("path", AMAZON_TYPES, ids=lambda path: AMAZON_TYPES[path][0])
def test_members_of_amazon(amazon: Any, path: tuple[str | int, ...]) -> None:
    """Of a response of Converse, and of the last events of its stream."""
    known = [name for name in AMAZON_TYPES[path] if name in amazon.shape_names]
    if not known:
        pytest.skip("this botocore does not have it yet")
    members = {member for name in known for member in amazon.shape_for(name).members}
    check(CONVERSE, AMAZON, path, members, AMAZON_LISTED.get(path, {}))


def test_stop_reasons_of_amazon(amazon: Any) -> None:
    """Each is a word of the conventions, or the provider's own."""
    for reason in amazon.shape_for("StopReason").enum:
        [found] = CONVERSE.finish_reasons({"stopReason": reason}, False)
        assert found in (WORDS if reason not in AMAZON_WORDS else {reason}), reason


def test_members_of_counted_tokens_of_amazon(amazon: Any) -> None:
    """The count is all that there is."""
    if "CountTokens" not in amazon.operation_names:
        pytest.skip("this botocore does not have it yet")
    check(COUNT_TOKENS, {"inputTokens": 3}, (), amazon.operation_model("CountTokens").output_shape.members, {})


@pytest.mark.parametrize("operation", ["InvokeModel", "InvokeModelWithResponseStream"])
def test_headers_of_amazon(amazon: Any, operation: str) -> None:
    """What a response of InvokeModel has in headers is what its price depends on; the type is that of the body."""
    members = amazon.operation_model(operation).output_shape.members
    headers = {shape.serialization.get("name", "").lower() for name, shape in members.items()} - {""}
    read = {header: "optimized" for header in headers if by_headers({header: "optimized"})}
    assert headers - {*read} <= {"content-type", "x-amzn-bedrock-content-type"}
    terms = invoked(CONVERSE).billing(by_headers(read)).terms
    assert len(terms) == len(read)


@pytest.mark.parametrize(("name", "member"), [("ServiceTier", "type"), ("PerformanceConfiguration", "latency")])
def test_terms_of_amazon(amazon: Any, name: str, member: str) -> None:
    """Each value of a tier or a latency is a term of the price."""
    if name not in amazon.shape_names:
        pytest.skip("this botocore does not have it yet")
    for value in amazon.shape_for(name).members[member].enum:
        response = {name[:1].lower() + name[1:].replace("Configuration", "Config"): {member: value}}
        assert [*CONVERSE.billing(response).terms.values()] == [value]


def test_durations_of_caches_of_amazon(amazon: Any) -> None:
    """Each has a unit of its own that prices are for."""
    if "CacheDetail" not in amazon.shape_names:
        pytest.skip("this botocore does not have it yet")
    for duration in amazon.shape_for("CacheDetail").members["ttl"].enum:
        usage = {"cacheDetails": [{"ttl": duration, "inputTokens": 3}]}
        assert CONVERSE.billing({"usage": usage}).amounts.keys() <= UNITS.keys()
        assert [*CONVERSE.billing({"usage": usage}).amounts.values()] == [3]
