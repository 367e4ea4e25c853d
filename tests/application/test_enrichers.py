"""The attributes of how a conversation begins, without its content: its fingerprint, and the purpose of the request."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import anthropic
import ollama
import openai
import pytest

from loopback import Json
from loopback.anthropic_bodies import message, text
from loopback.openai_bodies import CHAT, MODEL, completion, response
from opentelemetry_instrumentation_genai import AnthropicInstrumentor, OllamaInstrumentor, OpenAIInstrumentor
from opentelemetry_instrumentation_genai.hooks import GenAIRequest

OURS = "opentelemetry_instrumentation_genai"
PREFIX = "OTEL_INSTRUMENTATION_GENAI_"
KEY = "a key of the test's own"
FINGERPRINT, FIRST, PURPOSE = "conversation.fingerprint", "gen_ai.conversation.first", "llm.request.purpose"
RESPONSES = pytest.mark.skipif(not hasattr(openai.OpenAI, "responses"), reason="this SDK has no Responses API")

BE_BRIEF = {"role": "system", "content": "Be brief."}
HI = {"role": "user", "content": "Hi"}
HELLO = {"role": "assistant", "content": "Hello"}
MORE = {"role": "user", "content": "Tell me more"}


@pytest.fixture(autouse=True)
def warn_again(monkeypatch) -> None:
    """Warnings that are logged once per process are logged again."""
    monkeypatch.setattr(f"{OURS}._runtime.guard._reported", set())


@pytest.fixture
def warned(caplog, without_start_line) -> Callable[[], list[str]]:
    """What was logged so far."""
    caplog.set_level(logging.INFO, "opentelemetry")
    caplog.set_level(logging.INFO, OURS)
    return lambda: [record.getMessage() for record in caplog.records]


Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def ask(server, telemetry, openai_client) -> Ask:
    """Makes a chat completion of these messages, or with these arguments, and returns what its span says of the beginning."""
    client = openai_client()

    def call(*messages: Any, **arguments: Any) -> dict[str, Any]:
        server.reply(Json(completion()))
        return enriched(
            telemetry, lambda: client.chat.completions.create(**{**CHAT, "messages": [*messages], **arguments})
        )

    return call


@pytest.fixture
def respond(server, telemetry, openai_client) -> Ask:
    """The same by the Responses API."""
    client = openai_client()

    def call(given: Any, **arguments: Any) -> dict[str, Any]:
        server.reply(Json(response()))
        return enriched(telemetry, lambda: client.responses.create(model=MODEL, input=given, **arguments))

    return call


@pytest.fixture
def ask_claude(server, telemetry) -> Ask:
    """The same by Anthropic's API."""
    with anthropic.Anthropic(base_url=server.url, api_key="not-a-key", max_retries=0) as client:

        def call(*messages: Any, **arguments: Any) -> dict[str, Any]:
            server.reply(Json(message(text("Hello"))))
            asked: dict[str, Any] = {"model": "claude-test", "max_tokens": 64, "messages": [*messages], **arguments}
            return enriched(telemetry, lambda: client.messages.create(**asked))

        yield call


def enriched(telemetry: Any, call: Callable[[], Any]) -> dict[str, Any]:
    """What the one span of a call says of the beginning; that it has no content is asserted by the way."""
    telemetry.clear()
    call()
    attributes = telemetry.span.attributes
    assert [] == [name for name in attributes if name.endswith((".messages", "instructions"))]
    return {name: attributes[name] for name in (FINGERPRINT, FIRST, PURPOSE) if name in attributes}


@pytest.fixture
def fingerprints(telemetry) -> None:
    """Of all three SDKs."""
    for instrumentor in (OpenAIInstrumentor, AnthropicInstrumentor, OllamaInstrumentor):
        instrumentor().instrument(**telemetry.providers, enrichers=FINGERPRINT, user_id_key=KEY)


@pytest.mark.usefixtures("fingerprints")
def test_the_turns_of_a_conversation_have_one_fingerprint(ask):
    """It is that of the system instructions and the user's first message, however long the conversation gets."""
    first = ask(BE_BRIEF, HI)

    assert 32 == len(bytes.fromhex(first[FINGERPRINT])) * 2
    assert first == ask(BE_BRIEF, HI, HELLO, MORE)
    assert first == ask(BE_BRIEF, HI, HELLO, MORE, {"role": "assistant", "content": "So"}, HI)
    assert first == ask(BE_BRIEF, {"role": "user", "content": [{"type": "text", "text": "Hi"}]}, HELLO, MORE)
    others = [
        ask(HI),
        ask(BE_BRIEF, MORE),
        ask({"role": "user", "content": "Hi!"}),
        ask({**BE_BRIEF, "content": "Be"}, HI),
    ]
    assert 5 == len({other[FINGERPRINT] for other in [first, *others]})


@pytest.mark.usefixtures("fingerprints")
@pytest.mark.parametrize("messages", [[], [BE_BRIEF], [HELLO], [{"content": "Hi"}], [{"role": ["user"]}], ["Hi"]])
def test_without_a_message_of_the_user_there_is_none(ask, messages):
    """A fingerprint that would be another one in the next turn is not recorded."""
    assert {} == ask(*messages)


@RESPONSES
@pytest.mark.usefixtures("fingerprints")
def test_responses(respond):
    """A text and a list of items are the same; what the server keeps of a conversation has no beginning here."""
    first = respond("Hi", instructions="Be brief.")

    assert first == respond([HI, HELLO, MORE], instructions="Be brief.")
    assert first != respond("Hi")
    assert {} == respond("Hi", extra_body={"previous_response_id": "resp_1"})
    assert {} == respond("Hi", extra_body={"conversation": "conv_1"})


@pytest.mark.usefixtures("fingerprints")
def test_messages(ask_claude):
    """System instructions as a text or as blocks, and a mark for the cache, which moves on from turn to turn."""
    block = {"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}

    first = ask_claude({"role": "user", "content": [block]}, system="Be brief.")

    assert [FINGERPRINT] == [*first]
    assert first == ask_claude(HI, HELLO, MORE, system=[{"type": "text", "text": "Be brief."}])
    assert first != ask_claude(HI)


@pytest.mark.usefixtures("fingerprints")
def test_a_one_shot_iterator_reaches_the_server(server, ask_claude):
    """Its messages are recorded, and sent."""
    first = ask_claude(HI, HELLO, MORE)

    assert first == ask_claude(messages=iter([HI, HELLO, MORE])) or not hasattr(
        anthropic._base_client.SyncAPIClient, "_copy_and_prepare"
    )
    assert [HI, HELLO, MORE] == json.loads(server.requests[-1].body)["messages"]


@pytest.mark.usefixtures("fingerprints")
def test_ollama(server, telemetry):
    """Chat has one; a generated text is no conversation."""
    client = ollama.Client(host=server.url)
    server.reply(
        Json({"model": "m", "message": HELLO, "done": True}), Json({"model": "m", "response": "Hello", "done": True})
    )

    attributes = enriched(telemetry, lambda: client.chat(model="m", messages=[BE_BRIEF, HI]))
    assert [FINGERPRINT] == [*attributes]
    assert {} == enriched(telemetry, lambda: client.generate(model="m", prompt="Hi"))
    client._client.close()


@pytest.fixture
def firsts(telemetry) -> None:
    """Which requests are the first of a conversation, of all three SDKs; no key is needed."""
    for instrumentor in (OpenAIInstrumentor, AnthropicInstrumentor, OllamaInstrumentor):
        instrumentor().instrument(**telemetry.providers, enrichers=FIRST)


@pytest.mark.usefixtures("firsts")
def test_the_first_request_of_a_conversation(ask, ask_claude):
    """It has nothing of a model or a tool after the first message of its user; later ones do, and so may one whose beginning was left out."""
    assert {FIRST: True} == ask(BE_BRIEF, HI) == ask(HI) == ask(HELLO, HI) == ask(HI, MORE) == ask(HI, BE_BRIEF)
    assert {} == ask(BE_BRIEF, HI, HELLO, MORE) == ask(HI, HELLO)
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    called = {"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": "c", "content": "x"}
    assert {} == ask(*called, HI) == ask(HI, *called)
    assert {} == ask() == ask(BE_BRIEF) == ask({"role": ["user"]})
    assert {FIRST: True} == ask_claude(HI, system="Be brief.")
    assert {} == ask_claude(HI, HELLO, MORE, system="Be brief.")
    assert {} == ask_claude({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "x"}]})


@RESPONSES
@pytest.mark.usefixtures("firsts")
def test_the_first_response_of_a_conversation(respond):
    """A text or items; where the server keeps what came before, it is not the first."""
    assert {FIRST: True} == respond("Hi") == respond([HI], instructions="Be brief.")
    assert {} == respond([HI, HELLO, MORE]) == respond("Hi", extra_body={"previous_response_id": "resp_1"})
    assert {} == respond("Hi", extra_body={"conversation": "conv_1"})
    called = {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}
    assert {} == respond([called, {"type": "function_call_output", "call_id": "c", "output": "x"}, HI])


@pytest.mark.usefixtures("firsts")
def test_the_first_request_to_ollama(server, telemetry):
    """Chat has a first request; a generated text is no conversation."""
    client = ollama.Client(host=server.url)
    server.reply(
        Json({"model": "m", "message": HELLO, "done": True}), Json({"model": "m", "response": "Hello", "done": True})
    )
    assert {FIRST: True} == enriched(telemetry, lambda: client.chat(model="m", messages=[BE_BRIEF, HI]))
    assert {} == enriched(telemetry, lambda: client.generate(model="m", prompt="Hi"))
    client._client.close()


def test_another_key_another_fingerprint(telemetry, ask):
    """Without the key nobody can try what a conversation began with."""
    fingerprints = []
    for key in (KEY, "another key of the test"):
        OpenAIInstrumentor().instrument(**telemetry.providers, enrichers=FINGERPRINT, user_id_key=key)
        fingerprints.append(ask(HI)[FINGERPRINT])
        OpenAIInstrumentor().uninstrument()
    assert 2 == len({*fingerprints})


def test_without_a_key_no_fingerprint(telemetry, ask, warned):
    """One message says what to set; the other enrichers work."""
    OpenAIInstrumentor().instrument(**telemetry.providers, enrichers="all")

    assert {FIRST: True, PURPOSE: "User Chat"} == ask(HI)
    (warning,) = warned()
    assert "OTEL_INSTRUMENTATION_GENAI_USER_ID_KEY" in warning


TITLE = "### Task:\nGenerate a concise, 3-5 word title with an emoji summarizing the chat history."
TAGS = "### Task:\nGenerate 1-3 broad tags categorizing the main themes of the chat history."
FOLLOW_UPS = "### Task:\nSuggest 3-5 relevant follow-up questions or prompts that the user might naturally ask next."
SUMMARY = "Summarize the conversation above in two sentences."


@pytest.mark.parametrize(
    ("messages", "purpose"),
    [
        ([HI], "User Chat"),
        ([BE_BRIEF, HI, HELLO, MORE], "User Chat"),
        ([{"role": "user", "content": TITLE}], "Title Generation"),
        ([{"role": "user", "content": TITLE.upper()}], "Title Generation"),
        ([{"role": "system", "content": TITLE}, HI], "Title Generation"),
        ([{"role": "developer", "content": TITLE}, HI], "Title Generation"),
        ([{"role": "user", "content": [{"type": "text", "text": TITLE}]}], "Title Generation"),
        ([{"role": "user", "content": TAGS}], "Tag Generation"),
        ([{"role": "user", "content": FOLLOW_UPS}], "Suggestion Generation"),
        ([{"role": "user", "content": SUMMARY}], "Summarization"),
        ([{"role": "user", "content": "What is the title of this book?"}], "User Chat"),
        ([HI, {"role": "assistant", "content": TITLE}], "User Chat"),
        ([BE_BRIEF], "System Prompt"),
        ([], None),
    ],
)
def test_purposes_that_are_known(telemetry, ask, messages, purpose):
    """What chat frontends ask for by themselves is distinguished from the text of a user."""
    OpenAIInstrumentor().instrument(**telemetry.providers, enrichers=PURPOSE)

    assert ({} if purpose is None else {PURPOSE: purpose}) == ask(*messages)


@RESPONSES
def test_purposes_of_responses(telemetry, respond):
    """The instructions count as well."""
    OpenAIInstrumentor().instrument(**telemetry.providers, enrichers=PURPOSE)

    assert {PURPOSE: "Title Generation"} == respond("Hi", instructions=TITLE)
    assert {PURPOSE: "User Chat"} == respond("Hi", extra_body={"previous_response_id": "resp_1"})


def test_purposes_of_other_operations(server, telemetry, openai_client):
    """A prompt has one, an embedding has not."""
    OpenAIInstrumentor().instrument(**telemetry.providers, enrichers="all", user_id_key=KEY)
    client = openai_client()
    server.reply(
        Json({"id": "cmpl-1", "object": "text_completion", "created": 1, "model": MODEL, "choices": []}),
        Json({"object": "list", "data": [], "model": MODEL, "usage": {"prompt_tokens": 1, "total_tokens": 1}}),
    )

    assert {PURPOSE: "Title Generation"} == enriched(
        telemetry, lambda: client.completions.create(model=MODEL, prompt=TITLE)
    )
    assert {} == enriched(telemetry, lambda: client.embeddings.create(model=MODEL, input="Hi", encoding_format="float"))


RULES = [
    {"purpose": "Translation", "contains": ["Translate", "into german"], "in": "user"},
    {"purpose": "Support", "contains": "our shop", "in": "system"},
    {"purpose": "Titles of ours", "contains": ["title"]},
]


@pytest.mark.parametrize(
    ("messages", "purpose"),
    [
        ([{"role": "user", "content": "Please translate this into German."}], "Translation"),
        ([{"role": "user", "content": "Please translate this into French."}], "User Chat"),
        ([{"role": "system", "content": "Translate into German."}, HI], "User Chat"),
        ([{"role": "system", "content": "You work for our shop."}, HI], "Support"),
        ([{"role": "user", "content": "Who owns our shop?"}], "User Chat"),
        ([{"role": "user", "content": TITLE}], "Titles of ours"),
        ([{"role": "user", "content": TAGS}], "Tag Generation"),
    ],
)
@pytest.mark.parametrize("way", ["keyword", "variable", "list"])
def test_rules_of_the_users(monkeypatch, telemetry, ask, *, tmp_path, warned, way, messages, purpose):
    """They come before the built-in ones, in their order, and look where they say."""
    path = tmp_path / "rules.json"
    path.write_text(json.dumps(RULES), "utf-8")
    settings = {"keyword": {"purpose": f"file:{path}"}, "list": {"purpose": RULES}, "variable": {}}[way]
    if way == "variable":
        monkeypatch.setenv(PREFIX + "PURPOSE", f"file:{path}")
        monkeypatch.setenv(PREFIX + "ENRICHERS", PURPOSE)
    else:
        settings["enrichers"] = PURPOSE
    OpenAIInstrumentor().instrument(**telemetry.providers, **settings)

    assert {PURPOSE: purpose} == ask(*messages)
    assert [] == warned()


def test_a_callable(telemetry, ask, warned):
    """It is asked first, about the request; where it knows nothing, or fails, the rules do."""
    seen: list[GenAIRequest] = []

    def judge(request: GenAIRequest) -> Any:
        seen.append(request)
        return {1: "First", 2: None, 3: 7}[len(seen)]

    OpenAIInstrumentor().instrument(**telemetry.providers, enrichers=[PURPOSE], purpose=judge)

    attributes = [ask(HI) for _ in range(4)]
    assert ["First", "User Chat", "User Chat", "User Chat"] == [each[PURPOSE] for each in attributes]
    assert ("chat", MODEL, [HI]) == (seen[0].operation, seen[0].model, seen[0].body["messages"])
    (warning,) = warned()
    assert "raised KeyError" in warning
    assert "purpose" in warning


def test_a_callable_that_asks_a_model(server, telemetry, openai_client, ask, warned):
    """Is not asked of that call again, and no span is recorded for it."""
    judge = openai_client()

    def purpose(_request: GenAIRequest) -> str | None:
        server.reply(Json(completion("Judged")))
        content: str | None = judge.chat.completions.create(**CHAT).choices[0].message.content
        return content

    OpenAIInstrumentor().instrument(**telemetry.providers, enrichers=PURPOSE, purpose=purpose)

    assert PURPOSE in ask(HI)
    assert 2 == len(server.requests)
    assert 1 == sum(point.count for point in telemetry.metrics["gen_ai.client.operation.duration"])
    assert [] == warned()


def test_a_callable_by_its_name(monkeypatch, telemetry, ask):
    """It is looked for when it is needed."""
    OpenAIInstrumentor().instrument(**telemetry.providers, enrichers=PURPOSE, purpose="application.rules:Judge.ask")
    package, module = ModuleType("application"), ModuleType("application.rules")
    module.Judge = type("Judge", (), {"ask": staticmethod(lambda _request: "Judged")})  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "application", package)
    monkeypatch.setitem(sys.modules, "application.rules", module)

    assert {PURPOSE: "Judged"} == ask(HI)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"enrichers": "conversation"}, "enrichers='conversation' is not accepted"),
        ({"enrichers": "all,llm.request.purpose"}, "is not accepted"),
        ({"enrichers": 7}, "enrichers=7 is not accepted"),
        ({"purpose": "file:/nowhere/rules.json"}, "cannot be read: FileNotFoundError"),
        ({"purpose": "rules.json"}, "MODULE:FUNCTION"),
        ({"purpose": [{"purpose": "", "contains": []}]}, "rule 1 is not understood"),
        ({"purpose": [RULES[0], {"purpose": "Any", "contains": [""]}]}, "rule 2 is not understood"),
        ({"purpose": [{"purpose": "Any", "regex": ".*"}]}, "rule 1 has 'regex'"),
        ({"purpose": [{"purpose": "Any", "in": "answer"}]}, "rule 1 is not understood"),
        ({"purpose": {"Any": "all"}}, "the rules are no list"),
        ({"purpose": 7}, "the rules are no list"),
    ],
)
def test_bad_settings(telemetry, ask, warned, settings, complaint):
    """One warning says what is wrong and what is accepted; nothing else is affected."""
    OpenAIInstrumentor().instrument(**telemetry.providers, **{"enrichers": PURPOSE, **settings})

    attributes = ask(HI)
    assert ({PURPOSE: "User Chat"} if "purpose" in settings else {}) == attributes
    (warning,) = warned()
    assert complaint in warning
    assert "Accepted is: " in warning


@pytest.mark.parametrize("text", ["no JSON", "{}", "[1]", '[{"purpose": 1}]'])
def test_bad_files(telemetry, ask, warned, tmp_path, text):
    """One warning, and the built-in rules."""
    path = tmp_path / "rules.json"
    path.write_text(text, "utf-8")
    OpenAIInstrumentor().instrument(**telemetry.providers, enrichers=PURPOSE, purpose=f"file:{path}")

    assert {PURPOSE: "User Chat"} == ask(HI)
    assert 1 == len(warned())


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "user", "content": None}],
        [{"role": "user"}],
        [{"role": "user", "content": [{"type": "new", "x": [1]}]}],
        [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}]}],
        [{"role": "user", "content": "x" * 1_000_000}],
        [BE_BRIEF] * 100 + [HI],
        [None],
    ],
)
def test_odd_messages(telemetry, ask, messages):
    """Whatever a message holds, the call is made, and a fingerprint is one or is not there."""
    OpenAIInstrumentor().instrument(**telemetry.providers, enrichers="all", user_id_key=KEY)

    attributes = ask(*messages)
    assert attributes == ask(*messages)
    assert {*attributes} <= {FINGERPRINT, FIRST, PURPOSE}
