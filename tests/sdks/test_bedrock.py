"""Calls of Amazon Bedrock's runtime by botocore: the whole telemetry of each, and what the application gets with and without it."""

from __future__ import annotations

import dataclasses
import json
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import wrapt
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.credentials import DeferredRefreshableCredentials
from botocore.exceptions import ClientError, ParamValidationError
from botocore.session import Session
from botocore.tokens import DeferredRefreshableToken, FrozenAuthToken
from inline_snapshot import external_file, snapshot
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from bedrock_calls import CLAUDE, EXCHANGES, HI, KEYS, OLDEST, PROFILE, Exchange, client_of, read
from loopback import Json, ModelServer, Telemetry
from loopback.anthropic_bodies import message, text
from loopback.bedrock_bodies import chunk, converse, plain, refused, stream, words
from loopback.processes import run
from opentelemetry_instrumentation_genai import BedrockInstrumentor, genai_context
from opentelemetry_instrumentation_genai._conventions.names import (
    INPUT_MESSAGES,
    OUTPUT_MESSAGES,
    SYSTEM_INSTRUCTIONS,
    TOOL_DEFINITIONS,
)

SNAPSHOTS = Path(__file__).parent / "snapshots" / "bedrock"
LATEST = "gen_ai_latest_experimental"
GENERATIONS = {"latest": LATEST, "dup": f"{LATEST}/dup"}
CONTENT = {INPUT_MESSAGES, OUTPUT_MESSAGES, SYSTEM_INSTRUCTIONS, TOOL_DEFINITIONS}
KEY = KEYS["aws_secret_access_key"]


@pytest.fixture(autouse=True)
def no_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine is read."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_BEARER_TOKEN_BEDROCK", "AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def client(model_server: ModelServer) -> Iterator[Any]:
    """A client of the model server. It takes half a second to make one."""
    made = client_of(model_server.url)
    yield made
    made.close()


def made(exchange: Exchange, client: Any, server: ModelServer) -> Any:
    """What the application gets, after it has read it."""
    server.reply(exchange.reply)
    return read(exchange.make(client))


@pytest.mark.parametrize("name", EXCHANGES)
def test_the_whole_telemetry_of_a_call(server, telemetry: Telemetry, client, name):
    """Span and metrics, with content. `pytest --inline-snapshot=create,fix` writes the files anew."""
    BedrockInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")

    made(EXCHANGES[name], client, server)

    recorded = telemetry.snapshot()
    for span in recorded["spans"]:
        for content in CONTENT & span["attributes"].keys():
            span["attributes"][content] = json.loads(span["attributes"][content])
    assert external_file(SNAPSHOTS / f"{name}.json") == recorded


@pytest.mark.parametrize("generation", GENERATIONS)
@pytest.mark.parametrize("name", ["converse_everything", "anthropic_stream", "titan_embeddings"])
def test_the_other_generations(server, telemetry: Telemetry, client, name, generation):
    """The same by the latest conventions, and by both at once; content on events."""
    BedrockInstrumentor().instrument(
        **telemetry.providers,
        capture_message_content="event_only",
        semconv_stability_opt_in=GENERATIONS[generation],
    )

    made(EXCHANGES[name], client, server)

    assert external_file(SNAPSHOTS / f"{name}.{generation}.json") == telemetry.snapshot()


@pytest.mark.parametrize("name", EXCHANGES)
def test_without_content(server, telemetry: Telemetry, client, name):
    """All is the same but for the content, which is nowhere."""
    recorded = []
    for mode in ("span_only", "no_content"):
        telemetry.clear()
        BedrockInstrumentor().instrument(**telemetry.providers, capture_message_content=mode)
        made(EXCHANGES[name], client, server)
        BedrockInstrumentor().uninstrument()
        recorded.append(telemetry.snapshot())
    with_content, without = recorded

    for span in with_content["spans"]:
        for content in CONTENT & span["attributes"].keys():
            del span["attributes"][content]
    assert with_content == without
    assert [] == without["events"]


@pytest.mark.parametrize("mode", ["span_and_event", "no_content"])
@pytest.mark.parametrize("name", EXCHANGES)
def test_the_application_gets_the_same(server, telemetry: Telemetry, client, name, mode):
    """With and without the instrumentation, what it gets is equal, and what the server gets."""
    bare = made(EXCHANGES[name], client, server)
    BedrockInstrumentor().instrument(**telemetry.providers, capture_message_content=mode)

    assert bare == made(EXCHANGES[name], client, server)

    one, other = server.requests
    assert (one.path, one.body) == (other.path, other.body)
    volatile = {"x-amz-date", "authorization", "amz-sdk-invocation-id", "traceparent"}
    assert one.headers.keys() == other.headers.keys()
    assert {name: one.headers[name] for name in one.headers.keys() - volatile} == {
        name: other.headers[name] for name in other.headers.keys() - volatile
    }


TWINS = [name for name in EXCHANGES if f"{name}_stream" in EXCHANGES and name not in ("converse", "unknown", "cohere")]


@pytest.mark.parametrize("name", TWINS)
def test_a_stream_is_put_together(server, telemetry: Telemetry, client, name):
    """What is recorded of the messages of a stream is what a plain response would have had."""
    outputs = []
    for each in (name, f"{name}_stream"):
        telemetry.clear()
        BedrockInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
        made(EXCHANGES[each], client, server)
        outputs.append(json.loads(telemetry.span.attributes[OUTPUT_MESSAGES])[0]["parts"])
        BedrockInstrumentor().uninstrument()

    assert [{"type": "text", "content": "Hello"}] == outputs[0] == outputs[1]


@pytest.mark.parametrize("name", EXCHANGES)
def test_metrics_need_no_span(server, telemetry: Telemetry, client, name):
    """Where no span is sampled, the metrics are the same."""
    dropped = Telemetry(ALWAYS_OFF)
    recorded = []
    for there in (telemetry, dropped):
        BedrockInstrumentor().instrument(**there.providers)
        made(EXCHANGES[name], client, server)
        BedrockInstrumentor().uninstrument()
        recorded.append({name: [point.attributes for point in points] for name, points in there.metrics.items()})
    dropped.shutdown()

    assert recorded[0] == recorded[1]
    assert [] == dropped.spans


USAGES = {
    "apart": ({"inputTokens": 5, "outputTokens": 2, "totalTokens": 107, "cacheReadInputTokens": 100}, 105),
    "within": ({"inputTokens": 105, "outputTokens": 2, "totalTokens": 107, "cacheReadInputTokens": 100}, 105),
    "without a total": ({"inputTokens": 5, "outputTokens": 2, "cacheWriteInputTokens": 100}, 105),
    "odd": ({"inputTokens": "5", "outputTokens": None, "totalTokens": -1}, None),
}


@pytest.mark.parametrize("case", USAGES)
def test_input_tokens_contain_cached_ones(server, telemetry: Telemetry, client, case):
    """Bedrock counts them apart, as its total shows."""
    usage, tokens = USAGES[case]
    BedrockInstrumentor().instrument(**telemetry.providers)
    server.reply(plain({**NOVA_BODY, "usage": usage}))

    client.invoke_model(modelId="amazon.nova-lite-v1:0", body=json.dumps({"messages": HI, "inferenceConfig": {}}))[
        "body"
    ].read()

    assert tokens == telemetry.span.attributes.get("gen_ai.usage.input_tokens")


NOVA_BODY = converse({"text": "Hello"})


NOVA_CACHED = {"inputTokens": 5, "outputTokens": 2, "cacheReadInputTokenCount": 100, "cacheWriteInputTokenCount": 20}


@pytest.mark.parametrize("streamed", [False, True])
def test_cached_tokens_as_nova_names_them(server, telemetry: Telemetry, client, streamed):
    """In bodies of InvokeModel, plain or streamed, Nova counts cached tokens by other names than Converse does."""
    BedrockInstrumentor().instrument(**telemetry.providers)
    given = {"modelId": "amazon.nova-lite-v1:0", "body": json.dumps({"messages": HI, "inferenceConfig": {}})}
    if streamed:
        server.reply(
            stream(chunk({"messageStart": {"role": "assistant"}}), chunk({"metadata": {"usage": NOVA_CACHED}}))
        )
        read(client.invoke_model_with_response_stream(**given))
    else:
        server.reply(plain({**NOVA_BODY, "usage": NOVA_CACHED}))
        read(client.invoke_model(**given))

    usage = {name: value for name, value in telemetry.span.attributes.items() if name.startswith("gen_ai.usage.")}
    assert usage == {
        "gen_ai.usage.input_tokens": 125,
        "gen_ai.usage.output_tokens": 2,
        "gen_ai.usage.cache_read.input_tokens": 100,
        "gen_ai.usage.cache_write.input_tokens": 20,
        "gen_ai.usage.cache_creation.input_tokens": 20,
    }


def test_a_body_without_counts(server, telemetry: Telemetry, client):
    """Then those of the headers count, cached ones included; what the body has wins."""
    BedrockInstrumentor().instrument(**telemetry.providers)
    counts = {
        "input-token-count": 3,
        "output-token-count": 4,
        "cache-read-input-token-count": 10,
        "cache-write-input-token-count": 20,
    }
    exchange = EXCHANGES["anthropic"]
    body = message(text("Hello"))
    bare = {name: value for name, value in body.items() if name != "usage"}
    for answer in (bare, body):
        server.reply(plain(answer, counts=counts))
        read(exchange.make(client))

    by_headers, by_body = (
        {name.removeprefix("gen_ai.usage."): value for name, value in span.attributes.items() if "usage" in name}
        for span in telemetry.spans
    )
    assert (
        snapshot(
            {
                "input_tokens": 33,
                "output_tokens": 4,
                "cache_read.input_tokens": 10,
                "cache_write.input_tokens": 20,
                "cache_creation.input_tokens": 20,
            }
        )
        == by_headers
    )
    assert body["usage"]["output_tokens"] == by_body["output_tokens"]


@pytest.mark.parametrize("body", [b"{", b"[1]", b'"text"', b"\xff", b"", json.dumps(HI), bytearray(b"{}"), 5, None, {}])
def test_odd_request_bodies(server, telemetry: Telemetry, client, body):
    """What is no JSON object says nothing of the call, which is made and recorded; what the SDK refuses fails as it does without us."""
    outcomes = []
    for active in (False, True):
        if active:
            BedrockInstrumentor().instrument(**telemetry.providers)
        server.reply(plain({"anything": 1}))
        try:
            outcomes.append(read(client.invoke_model(modelId=PROFILE, body=body)))
        except ParamValidationError as error:
            outcomes.append(str(error))
            server.reset()

    assert outcomes[0] == outcomes[1]
    assert f"generate_content {PROFILE}" == telemetry.span.name


def test_a_file_is_not_read(server, telemetry: Telemetry, client, tmp_path):
    """A body that is a file is left to the SDK, which sends all of it."""
    path = tmp_path / "body.json"
    path.write_text(json.dumps({"prompt": "Hi"}), encoding="utf-8")
    BedrockInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
    server.reply(plain({"generation": "Hello", "stop_reason": "stop"}))

    with path.open("rb") as body:
        read(client.invoke_model(modelId="meta.llama3", body=body))

    assert {"prompt": "Hi"} == server.requests[0].json
    assert INPUT_MESSAGES not in telemetry.span.attributes


@pytest.mark.parametrize("answer", [b"{", b"[1]", b'"text"', b"\xff\xfe", b"", b"null", b'{"content": 5, "usage": []}'])
@pytest.mark.parametrize("name", ["anthropic", "titan", "gpt_oss", "cohere", "stability", "unknown", "llama", "nova"])
def test_odd_response_bodies(server, telemetry: Telemetry, client, name, answer):
    """The application gets the bytes; the call is recorded with what the headers say."""
    from loopback.replies import Text

    BedrockInstrumentor().instrument(**telemetry.providers, capture_message_content="span_and_event")
    headers = {"x-amzn-bedrock-input-token-count": "3"}
    server.reply(Text(answer.decode("latin-1"), "application/json", headers=headers))

    _, result = read(EXCHANGES[name].make(client))

    assert answer.decode("latin-1").encode() == result["body"]
    assert 3 == telemetry.span.attributes["gen_ai.usage.input_tokens"]
    assert "error.type" not in telemetry.span.attributes


ODD_MEMBERS = [
    {"output": None, "stopReason": 5, "usage": None},
    {
        "output": {"message": {"role": "assistant", "content": [{"brandNew": {"a": 1}}, {"text": "Hi"}]}},
        "stopReason": "new",
    },
    {"usage": {"inputTokens": -1}, "metrics": {"latencyMs": -5}},
]


@pytest.mark.parametrize("answer", ODD_MEMBERS)
def test_odd_responses_of_converse(server, telemetry: Telemetry, client, answer):
    """What has another form is recorded as far as it can be."""
    bare = made(Exchange("converse", {"modelId": "m", "messages": HI}, plain(answer)), client, server)
    BedrockInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")

    assert bare == made(Exchange("converse", {"modelId": "m", "messages": HI}, plain(answer)), client, server)
    assert "chat m" == telemetry.span.name


def test_a_long_arn_is_cut(server, telemetry: Telemetry, client):
    """The model of a request is at most 1 KiB long."""
    BedrockInstrumentor().instrument(**telemetry.providers)
    server.reply(plain(converse()))

    client.converse(modelId=PROFILE + "x" * 1900, messages=HI)

    assert (PROFILE + "x" * 1900)[:1024] == telemetry.span.attributes["gen_ai.request.model"]


def test_other_operations_are_not_followed(server, telemetry: Telemetry, client):
    """Guardrails that are applied by themselves, asynchronous invocations and their lists have no span."""
    BedrockInstrumentor().instrument(**telemetry.providers)
    server.reply_always(Json({}))

    client.apply_guardrail(
        guardrailIdentifier="gr-1", guardrailVersion="1", source="INPUT", content=[{"text": {"text": "Hi"}}]
    )
    if OLDEST:  # which has no asynchronous invocations
        assert ([], {}) == (telemetry.spans, telemetry.metrics)
        return
    client.list_async_invokes()
    client.get_async_invoke(invocationArn="arn:aws:bedrock:us-east-1:123456789012:async-invoke/abc123def456")

    assert ([], {}) == (telemetry.spans, telemetry.metrics)


def test_other_services_are_left_alone(server, telemetry: Telemetry, monkeypatch):
    """A client of S3 passes no step of ours but one comparison."""
    from opentelemetry_instrumentation_genai.sdks.bedrock import _seam

    BedrockInstrumentor().instrument(**telemetry.providers)
    monkeypatch.setattr(_seam, "given_by", lambda *_given: pytest.fail("a step of ours"))
    other = client_of(server.url, "s3")
    server.reply(Json({}))

    body = other.get_object(Bucket="bucket", Key="key")["Body"]
    assert "botocore.response" == type(body).__module__
    assert b"{}" == body.read()
    other.close()
    assert [] == telemetry.spans


def test_a_server_and_a_provider_that_are_declared(server, telemetry: Telemetry, client):
    """Server and provider are of the client's endpoint; a declared provider wins."""
    BedrockInstrumentor().instrument(**telemetry.providers, host_providers={"127.0.0.1": "gateway"})
    server.reply(plain(converse()))

    client.converse(modelId="m", messages=HI)

    found = telemetry.span.attributes
    assert ("gateway", "127.0.0.1", server.port) == tuple(
        found[name] for name in ("gen_ai.provider.name", "server.address", "server.port")
    )


def test_the_endpoint_of_a_region():
    """The server of a client without a URL of its own is that of its region."""
    from opentelemetry_instrumentation_genai.sdks.bedrock._servers import Servers

    made = Session().create_client("bedrock-runtime", region_name="eu-west-1", **KEYS)

    server = Servers(()).at(made.meta.endpoint_url)

    made.close()
    assert ("bedrock-runtime.eu-west-1.amazonaws.com", 443, "aws.bedrock") == (
        server.host,
        server.port,
        server.provider,
    )


def test_clients_made_before_and_after(server, telemetry: Telemetry, client):
    """A client that was made before is followed, one by `boto3` too, until uninstrument()."""
    import boto3

    BedrockInstrumentor().instrument(**telemetry.providers)
    other = boto3.client("bedrock-runtime", region_name="us-east-1", endpoint_url=server.url, **KEYS)
    server.reply_always(plain(converse()))

    for one in (client, other):
        one.converse(modelId="m", messages=HI)
    BedrockInstrumentor().uninstrument()
    for one in (client, other):
        one.converse(modelId="m", messages=HI)

    other.close()
    assert ["chat m", "chat m"] == [span.name for span in telemetry.spans]


def test_a_call_by_hand(server, telemetry: Telemetry, client):
    """By the method below those of the operations, with names or without, also as a function of its class."""
    from botocore.client import BaseClient

    BedrockInstrumentor().instrument(**telemetry.providers)
    server.reply_always(plain(converse()))
    given = {"modelId": "m", "messages": HI}

    client._make_api_call("Converse", given)
    client._make_api_call(operation_name="Converse", api_params=given)
    BaseClient._make_api_call(client, "Converse", given)

    assert 3 == len(telemetry.spans)


def test_attribution(server, telemetry: Telemetry, client):
    """What the application says of a block of code is on the calls in it."""
    BedrockInstrumentor().instrument(**telemetry.providers)
    server.reply(words("Hello"))

    with genai_context(conversation_id="c-1"):
        result = client.converse_stream(modelId="m", messages=HI)
    list(result["stream"])

    assert "c-1" == telemetry.span.attributes["gen_ai.conversation.id"]


def test_spans_nest(server, telemetry: Telemetry, client):
    """The span is current while the SDK's code runs, and not between two events."""
    from opentelemetry.trace import INVALID_SPAN, get_current_span

    current = []
    client.meta.events.register("before-send.bedrock-runtime.*", lambda **_given: current.append(get_current_span()))
    BedrockInstrumentor().instrument(**telemetry.providers)
    server.reply(words("Hel", "lo"))

    for _ in client.converse_stream(modelId="m", messages=HI)["stream"]:
        assert INVALID_SPAN is get_current_span()

    assert [telemetry.span.context.span_id] == [span.get_span_context().span_id for span in current]


def test_one_span_for_a_client_of_anthropic(server, telemetry: Telemetry):
    """It signs with botocore, and sends by itself."""
    import anthropic

    from opentelemetry_instrumentation_genai import AnthropicInstrumentor

    keys = {"aws_access_key": "AKIDEXAMPLE", "aws_secret_key": KEY, "aws_region": "us-east-1"}
    BedrockInstrumentor().instrument(**telemetry.providers)
    AnthropicInstrumentor().instrument(**telemetry.providers)
    server.reply(Json(message()))

    with anthropic.AnthropicBedrock(base_url=server.url, **keys) as made:
        made.messages.create(model=CLAUDE, max_tokens=5, messages=[{"role": "user", "content": "Hi"}])

    assert (f"chat {CLAUDE}", "aws.bedrock") == (
        telemetry.span.name,
        telemetry.span.attributes["gen_ai.provider.name"],
    )


@pytest.mark.process
def test_importing_ours_imports_no_botocore(tmp_path):
    """Neither does `instrument()`; botocore is patched when it is imported later."""
    program = """
import sys
from opentelemetry_instrumentation_genai import BedrockInstrumentor
BedrockInstrumentor().instrument()
print(*sorted({"botocore", "boto3"} & set(sys.modules)))
from botocore.client import BaseClient
print(type(BaseClient._make_api_call).__name__)
"""
    assert (["", "BoundFunctionWrapper"], []) == run(tmp_path, program)


def test_another_version(telemetry: Telemetry, monkeypatch, caplog):
    """A release that is too old or too new is left alone, and one line says so."""
    import botocore
    from botocore.client import BaseClient

    monkeypatch.setattr("opentelemetry_instrumentation_genai._runtime.guard._reported", set())
    caplog.set_level(logging.WARNING, "opentelemetry_instrumentation_genai")
    for version in ("1.34.115", "2.0.0"):
        monkeypatch.setattr(botocore, "__version__", version)
        BedrockInstrumentor().instrument(**telemetry.providers)
        assert not isinstance(BaseClient._make_api_call, wrapt.FunctionWrapper)
        BedrockInstrumentor().uninstrument()

    assert [f"bedrock {version} is installed" in caplog.text for version in ("1.34.115", "2.0.0")] == [True, True]


def test_headers_of_a_proxy(server, telemetry: Telemetry, client):
    """The cost and the rate limit that a proxy in front of the service reports are those of the call."""
    BedrockInstrumentor().instrument(**telemetry.providers, prices="billed", metrics="extended")
    answer = plain(converse())
    headers = {"x-litellm-response-cost": "0.5", "X-RateLimit-Remaining-Requests": "9"}
    server.reply(dataclasses.replace(answer, headers={**answer.headers, **headers}))

    client.converse(modelId="m", messages=HI)

    assert 0.5 == telemetry.span.attributes["gen_ai.usage.cost"]
    assert [9] == [point.value for point in telemetry.metrics["gen_ai.client.rate_limit.remaining.requests"]]


def test_prices(server, telemetry: Telemetry, client):
    """What a call costs is computed of its usage, by the model that the request names."""
    pytest.importorskip("genai_prices")
    BedrockInstrumentor().instrument(**telemetry.providers, prices="genai-prices")
    server.reply_always(plain(converse()))

    for _ in range(2):  # the prices are loaded in the background of the first call
        client.converse(modelId="us.anthropic.claude-sonnet-4-20250514-v1:0", messages=HI)

    assert 0 < telemetry.spans[-1].attributes["gen_ai.usage.cost"] < 0.01


def test_a_refusal_is_not_followed_twice(server, telemetry: Telemetry, client):
    """An error of one call leaves nothing for the next."""
    BedrockInstrumentor().instrument(**telemetry.providers)
    server.reply(refused("ValidationException", "no", 400), plain(converse()))

    with pytest.raises(ClientError):
        client.converse(modelId="m", messages=HI)
    client.converse(modelId="m", messages=HI)

    assert ["ERROR", "UNSET"] == [span.status.status_code.name for span in telemetry.spans]


def _of_a_role(_monkeypatch: pytest.MonkeyPatch) -> Any:
    """A session with the credentials of a role, which are fetched when the first request is sent."""
    expires = (datetime.now(timezone.utc) + timedelta(hours=1)).isoformat()
    fetched = {"access_key": "ASIAROLE", "secret_key": QUOTED[0], "token": QUOTED[1], "expiry_time": expires}
    session = Session()
    session._credentials = DeferredRefreshableCredentials(lambda: fetched, "assume-role")
    return session


def _of_the_environment(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A session with a key of Bedrock's in the environment."""
    monkeypatch.setenv("AWS_BEARER_TOKEN_BEDROCK", QUOTED[0])
    return Session()


def _of_sso(_monkeypatch: pytest.MonkeyPatch) -> Any:
    """A session with a token that is fetched when the first request is sent."""
    session = Session()
    token = FrozenAuthToken(QUOTED[0], datetime.now(timezone.utc) + timedelta(hours=1))
    session._auth_token = DeferredRefreshableToken("sso", lambda: token)
    session.set_config_variable("auth_scheme_preference", "httpBearerAuth")
    return session


QUOTED = ("words of one secret", "words of another")


@pytest.mark.parametrize("session_of", [_of_a_role, _of_the_environment, _of_sso])
def test_credentials_from_elsewhere(telemetry: Telemetry, monkeypatch, session_of):
    """A message of a failure that quotes them has them masked, also where they are known only when the request is sent."""
    if OLDEST and session_of is not _of_a_role:
        pytest.skip("this botocore sends no tokens to Bedrock")
    BedrockInstrumentor().instrument(**telemetry.providers, capture_message_content="span_only")
    once = Config(retries={"total_max_attempts": 1})
    session = session_of(monkeypatch)
    made = session.create_client("bedrock-runtime", "us-east-1", endpoint_url="https://bedrock.example", config=once)
    sent = []

    def answer(request: Any, **_given: Any) -> AWSResponse:
        sent.append(request.headers["authorization"])
        body = json.dumps({"message": f"{QUOTED[0]}, {QUOTED[1]}"}).encode()
        return AWSResponse(request.url, 400, {"x-amzn-errortype": "ValidationException"}, _Raw(body))

    made.meta.events.register("before-send", answer)
    with pytest.raises(ClientError, match=", ".join(QUOTED)):
        made.converse(modelId="m", messages=HI)

    assert sent
    assert QUOTED[0] not in (telemetry.span.status.description or "")
    assert (session_of is _of_a_role) is (QUOTED[1] not in (telemetry.span.status.description or ""))


class _Raw:
    """A body as the HTTP client gives it.

    Args:
        body: all of it.
    """

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> Iterator[bytes]:
        """Return its pieces."""
        return iter([self._body])
