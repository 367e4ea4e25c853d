"""Every operation of Amazon Bedrock's runtime, as the installed botocore has them: followed, or listed here with the reason why not."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionError as BotocoreConnectionError

from bedrock_calls import HI, KEYS, NOVA, client_of
from loopback import Json, ModelServer, Reply, Telemetry, closed_port
from loopback.bedrock_bodies import converse, plain, refused, words
from opentelemetry_instrumentation_genai import BedrockInstrumentor
from opentelemetry_instrumentation_genai._runtime.lifetime import finish_pending

NOT_FOLLOWED = {
    "ApplyGuardrail": "a guardrail by itself is no model",
    "InvokeGuardrailChecks": "a guardrail by itself is no model",
    "GetAsyncInvoke": "starts a job, or reads its state: the result is in a bucket",
    "ListAsyncInvokes": "starts a job, or reads its state: the result is in a bucket",
    "StartAsyncInvoke": "starts a job, or reads its state: the result is in a bucket",
    "InvokeModelWithBidirectionalStream": "botocore has it, and cannot send it",
}
_BODY = '{"prompt": "Hi", "max_gen_len": 5}'
_CONVERSED: dict[str, Any] = {"modelId": NOVA, "messages": HI}
# Operation -> its method, the arguments, what is answered, the operation of its span.
FOLLOWED: dict[str, tuple[str, dict[str, Any], Reply, str]] = {
    "Converse": ("converse", _CONVERSED, Json(converse({"text": "Hello"})), "chat"),
    "ConverseStream": ("converse_stream", _CONVERSED, words("Hello"), "chat"),
    "CountTokens": (
        "count_tokens",
        {"modelId": NOVA, "input": {"converse": {"messages": HI}}},
        Json({"inputTokens": 5}),
        "count_tokens",
    ),
    "InvokeModel": (
        "invoke_model",
        {"modelId": "meta.llama3-8b-instruct-v1:0", "body": _BODY},
        plain({"generation": "Hello", "stop_reason": "stop"}),
        "text_completion",
    ),
    "InvokeModelWithResponseStream": (
        "invoke_model_with_response_stream",
        {"modelId": "meta.llama3-8b-instruct-v1:0", "body": _BODY},
        words("Hello"),
        "text_completion",
    ),
}


@pytest.fixture(scope="module")
def client(model_server: ModelServer) -> Iterator[Any]:
    """A client of the model server."""
    made = client_of(model_server.url)
    yield made
    made.close()


def test_every_operation_is_followed_or_listed(client: Any) -> None:
    """A new one is noticed; older releases have fewer."""
    assert {*client.meta.service_model.operation_names} <= {*FOLLOWED, *NOT_FOLLOWED}


@pytest.mark.parametrize("operation", FOLLOWED)
def test_refused(server: ModelServer, telemetry: Telemetry, client: Any, operation: str) -> None:
    """The code of the service is the type of the error, and the application gets the same exception; no key is recorded."""
    method, arguments, _, name = FOLLOWED[operation]
    if not hasattr(client, method):
        pytest.skip(f"this botocore has no {method}")

    def raised() -> tuple[str, Any]:
        server.reply(refused("ThrottlingException", "Too many requests.", 429))
        with pytest.raises(ClientError) as error:
            getattr(client, method)(**arguments)
        return str(error.value), error.value.response["Error"]

    bare = raised()
    BedrockInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")

    assert bare == raised()
    span = telemetry.span
    assert (span.status.status_code.name, span.attributes["error.type"]) == ("ERROR", "ThrottlingException")
    assert span.attributes["gen_ai.operation.name"] == name
    assert span.attributes["http.response.status_code"] == 429
    assert not [key for key in KEYS.values() if key in span.to_json()]


@pytest.mark.parametrize("operation", FOLLOWED)
def test_no_server(telemetry: Telemetry, operation: str) -> None:
    """A connection that cannot be made is the exception of botocore."""
    method, arguments, _, _ = FOLLOWED[operation]
    lonely = client_of(f"http://127.0.0.1:{closed_port()}")
    if not hasattr(lonely, method):
        pytest.skip(f"this botocore has no {method}")
    BedrockInstrumentor().instrument(**telemetry.providers)
    with pytest.raises(BotocoreConnectionError):
        getattr(lonely, method)(**arguments)
    lonely.close()
    span = telemetry.span
    assert (span.status.status_code.name, span.attributes["error.type"]) == (
        "ERROR",
        "botocore.exceptions.EndpointConnectionError",
    )


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # botocore leaves the connection open
@pytest.mark.parametrize("operation", ["ConverseStream", "InvokeModelWithResponseStream"])
def test_a_stream_that_is_dropped_unread(
    server: ModelServer, telemetry: Telemetry, client: Any, operation: str
) -> None:
    """Its span ends when it is collected, and it is no failure."""
    method, arguments, reply, _ = FOLLOWED[operation]
    BedrockInstrumentor().instrument(**telemetry.providers)
    server.reply(reply)
    getattr(client, method)(**arguments)
    gc.collect()
    finish_pending()
    assert telemetry.span.status.status_code.name == "UNSET"
