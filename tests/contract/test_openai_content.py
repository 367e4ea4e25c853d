"""Whatever types the installed `openai` SDK has for messages, parts, items and tools: their content is valid, none is lost.

The types are read from the SDK, so that those of its next release are among them.
"""

from __future__ import annotations

from base64 import b64encode
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest

from contract import SYNC, VARIANTS, Row
from contract.examples import example, members_of
from contract.expected import CONTENT, INPUT, OUTPUT, SYSTEM, TOOLS
from contract.openai import OPENAI
from contract.openai_chat import MODEL, completion
from contract.openai_responses import message, response
from contract.schemas import violations
from contract.variants import Variant
from loopback import Json, Sse

PLAIN = next(variant for variant in VARIANTS if variant.id == "plain")
STREAM = next(variant for variant in VARIANTS if variant.id == "stream")
ANSWER = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello"}}
CHOICES = range(4)
CHAT, RESPONSES = "openai.types.chat", "openai.types.responses"


def _types(path: str, *names: str) -> list[Any]:
    """A parameter for each type in the first of these unions that this SDK has."""
    module = import_module(path) if find_spec(path) else None
    union = next((found for name in names if (found := getattr(module, name, None)) is not None), None)
    if union is None:
        return [pytest.param(None, marks=pytest.mark.skip(f"this SDK has no {names[0]}"))]
    named = {getattr(kind, "__name__", str(kind)): kind for kind in members_of(union)}
    return [pytest.param(kind, id=name) for name, kind in sorted(named.items())]


def _content(caller: Any, method: str, variant: Variant, arguments: dict[str, Any], **reply: Any) -> dict[str, Any]:
    """The content that a call leaves on its event, which is valid and the same as on its span; the result stays as it is."""
    row = Row("", method, lambda _: dict(arguments), "", {}, **reply)
    client = caller.clients(OPENAI.clients[0], SYNC)

    bare, made = caller.make_twice(OPENAI, row, variant, client, SYNC, capture_message_content="span_and_event")

    assert (bare.result, bare.requests) == (made.result, made.requests)
    (span,), (event,) = made.snapshot["spans"], made.snapshot["events"]
    on_span, on_event = ({name: recorded["attributes"].get(name) for name in CONTENT} for recorded in (span, event))
    assert on_span == on_event
    assert [] == violations(event["attributes"])
    return on_event


def _chat(caller: Any, **arguments: Any) -> dict[str, Any]:
    keywords = {"model": MODEL, "messages": [], **arguments}
    return _content(caller, "chat.completions.create", PLAIN, arguments=keywords, plain=Json(completion(ANSWER)))


def _response(caller: Any, *output: Any, **arguments: Any) -> dict[str, Any]:
    keywords = {"model": MODEL, "input": [], **arguments}
    return _content(caller, "responses.create", PLAIN, arguments=keywords, plain=Json(response(*output)))


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("kind", _types(CHAT, "ChatCompletionMessageParam"))
def test_a_chat_message_of_any_type(caller: Any, kind: Any, choice: int) -> None:
    """It is one input message, of the role that it has."""
    given = example(kind, choice)

    content = _chat(caller, messages=[given])

    assert [given["role"]] == [message["role"] for message in content[INPUT]]


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("kind", _types(CHAT, "ChatCompletionContentPartParam"))
def test_a_chat_content_part_of_any_type(caller: Any, kind: Any, choice: int) -> None:
    """It is one part of the message."""
    content = _chat(caller, messages=[{"role": "user", "content": [example(kind, choice)]}])

    assert [1] == [len(message["parts"]) for message in content[INPUT]]


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("kind", _types(CHAT, "ChatCompletionToolUnionParam", "ChatCompletionToolParam"))
def test_a_chat_tool_of_any_type(caller: Any, kind: Any, choice: int) -> None:
    """It is one tool definition."""
    content = _chat(caller, tools=[example(kind, choice)])

    assert 1 == len(content[TOOLS])


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("kind", _types(CHAT, "ChatCompletionMessage"))
def test_a_chat_answer_with_anything(caller: Any, kind: Any, choice: int) -> None:
    """Whatever members a message of the model has."""
    answer = {**ANSWER, "message": example(kind, choice)}
    arguments = {"model": MODEL, "messages": []}

    content = _content(caller, "chat.completions.create", PLAIN, arguments=arguments, plain=Json(completion(answer)))

    assert ["stop"] == [message["finish_reason"] for message in content[OUTPUT]]


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("kind", _types(RESPONSES, "ResponseInputItemParam"))
def test_an_input_item_of_any_type(caller: Any, kind: Any, choice: int) -> None:
    """It is one input message with something in it, of the role that it has, if it has one."""
    given = example(kind, choice)

    content = _response(caller, input=[given])

    assert 1 == len(content[INPUT])
    assert content[INPUT][0]["parts"]
    assert given.get("role", content[INPUT][0]["role"]) == content[INPUT][0]["role"]


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("kind", _types(RESPONSES, "ResponseInputContentParam"))
def test_an_input_part_of_any_type(caller: Any, kind: Any, choice: int) -> None:
    """It is one part of the message, and of instructions that are messages."""
    given = {"role": "user", "content": [example(kind, choice)]}

    content = _response(caller, input=[given], instructions=[given])

    assert [1] == [len(message["parts"]) for message in content[INPUT]]
    assert 1 == len(content[SYSTEM])


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("kind", _types(RESPONSES, "ToolParam"))
def test_a_tool_of_any_type(caller: Any, kind: Any, choice: int) -> None:
    """It is one tool definition."""
    content = _response(caller, tools=[example(kind, choice)])

    assert 1 == len(content[TOOLS])


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("kind", _types(RESPONSES, "ResponseOutputItem"))
def test_an_output_item_of_any_type(caller: Any, kind: Any, choice: int) -> None:
    """It is recorded, beside the message that follows it."""
    content = _response(caller, example(kind, choice), message("Hello"))

    (output,) = content[OUTPUT]
    assert 2 <= len(output["parts"])
    assert {"type": "text", "content": "Hello"} == output["parts"][-1]


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("kind", _types(RESPONSES, "ResponseOutputItem"))
def test_a_streamed_output_item_of_any_type(caller: Any, kind: Any, choice: int) -> None:
    """The same, of a stream that ended before the event with the whole response."""
    items = (example(kind, choice), message("Hello"))
    begun = {"type": "response.created", "sequence_number": 0, "response": response(status="in_progress")}
    done = "response.output_item.done"
    events = [
        begun,
        *({"type": done, "sequence_number": n + 1, "output_index": n, "item": item} for n, item in enumerate(items)),
    ]
    arguments = {"model": MODEL, "input": []}

    content = _content(caller, "responses.create", STREAM, arguments=arguments, streamed=Sse(events, event_names=True))

    (output,) = content[OUTPUT]
    assert 2 <= len(output["parts"])
    assert {"type": "text", "content": "Hello"} == output["parts"][-1]


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("kind", _types(RESPONSES, "ResponseStreamEvent"))
def test_a_stream_event_of_any_type(caller: Any, kind: Any, choice: int) -> None:
    """Among the events of a stream it breaks nothing."""
    begun = {"type": "response.created", "sequence_number": 0, "response": response(status="in_progress")}
    event = example(kind, choice)
    if event["type"] == "error":
        pytest.skip("ends the stream, as the tests of streams say")
    whole = {"type": "response.completed", "sequence_number": 9, "response": response(message("Hello"))}
    arguments = {"model": MODEL, "input": []}

    content = _content(
        caller, "responses.create", STREAM, arguments=arguments, streamed=Sse([begun, event, whole], event_names=True)
    )

    (output,) = content[OUTPUT]
    assert {"type": "text", "content": "Hello"} == output["parts"][-1]


DATA = b64encode(b"binary data of somebody" * 3).decode()
URL = f"data:image/png;base64,{DATA}"
SECRET = "hunter2-not-to-be-recorded"
SCREENSHOT = {"type": "computer_screenshot", "image_url": URL}
PICTURE = {"type": "image_generation_call", "id": "ig_1", "status": "completed", "result": DATA}
PYTHON = {"type": "code_interpreter_call", "id": "ci_1", "code": "", "container_id": "c", "status": "completed"}
REASONING = {"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": SECRET}
COMPACTION = {"type": "compaction", "id": "cmp_1", "encrypted_content": SECRET}
MCP = {"type": "mcp", "server_label": "crm", "server_url": "https://crm.example", "require_approval": "never"}
ALLOWED = {"type": "allowlist", "allowed_domains": ["a.example"]}
DOMAIN_SECRETS = {**ALLOWED, "domain_secrets": [{"domain": "a.example", "name": "KEY", "value": SECRET}]}
CONTAINER = {"type": "auto", "network_policy": DOMAIN_SECRETS}

BINARY_PARTS = {
    "image_url": {"type": "image_url", "image_url": {"url": URL}},
    "input_audio": {"type": "input_audio", "input_audio": {"data": DATA, "format": "wav"}},
    "file": {"type": "file", "file": {"file_data": DATA, "filename": "a.pdf"}},
    "file-url": {"type": "file", "file": {"file_data": f"data:application/pdf;base64,{DATA}", "filename": "a.pdf"}},
    "unknown-url": {"type": "hologram", "hologram": {"url": URL}},
}
BINARY_ITEMS = {
    "input_image": {"role": "user", "content": [{"type": "input_image", "image_url": URL}]},
    "input_file": {"role": "user", "content": [{"type": "input_file", "file_data": DATA, "filename": "a.pdf"}]},
    "input_audio": {
        "role": "user",
        "content": [{"type": "input_audio", "input_audio": {"data": DATA, "format": "mp3"}}],
    },
    "computer_call_output": {"type": "computer_call_output", "call_id": "c_1", "output": SCREENSHOT},
    "function_call_output": {
        "type": "function_call_output",
        "call_id": "c_1",
        "output": [{"type": "input_image", "image_url": URL}],
    },
    "image_generation_call": PICTURE,
    "code_interpreter_call": {**PYTHON, "outputs": [{"type": "image", "url": URL}]},
    "reasoning": REASONING,
    "compaction": COMPACTION,
}
SECRET_TOOLS = {
    "mcp-authorization": {**MCP, "authorization": SECRET},
    "mcp-headers": {**MCP, "headers": {"Authorization": f"Bearer {SECRET}"}},
    "code_interpreter-domain_secrets": {"type": "code_interpreter", "container": CONTAINER},
    "shell-domain_secrets": {"type": "shell", "environment": {**CONTAINER, "type": "container_auto"}},
    "image_generation-mask": {"type": "image_generation", "input_image_mask": {"image_url": URL}},
}
has_responses = pytest.mark.skipif(not find_spec(RESPONSES), reason="this SDK has no Responses API")


def _leaks(content: dict[str, Any]) -> list[str]:
    """What must not be there and is."""
    text = repr(content)
    return [secret for secret in (DATA, SECRET) if secret in text]


@pytest.mark.parametrize("part", BINARY_PARTS)
def test_no_binary_data_of_a_chat_message_is_recorded(caller: Any, part: str) -> None:
    """Kind, size and digest stand for it."""
    content = _chat(caller, messages=[{"role": "user", "content": [BINARY_PARTS[part]]}])

    assert [] == _leaks(content)
    assert "sha256" in repr(content)


def test_no_audio_of_a_chat_answer_is_recorded(caller: Any) -> None:
    """Its transcript is."""
    audio = {"id": "audio_1", "data": DATA, "expires_at": 1, "transcript": "Hello"}
    answer = {**ANSWER, "message": {"role": "assistant", "content": None, "audio": audio}}
    arguments = {"model": MODEL, "messages": []}

    content = _content(caller, "chat.completions.create", PLAIN, arguments=arguments, plain=Json(completion(answer)))

    assert [] == _leaks(content)
    assert "Hello" == content[OUTPUT][0]["parts"][0]["transcript"]


@has_responses
@pytest.mark.parametrize("item", BINARY_ITEMS)
def test_nothing_binary_or_encrypted_of_an_item_is_recorded(caller: Any, item: str) -> None:
    """Whether it is given or, as those that have a type may be, answered."""
    given = BINARY_ITEMS[item]

    content = _response(caller, *([given] if "type" in given else []), input=[given])

    assert [] == _leaks(content)


@has_responses
@pytest.mark.parametrize("tool", SECRET_TOOLS)
def test_no_secret_of_a_tool_is_recorded(caller: Any, tool: str) -> None:
    """Credentials that a tool definition carries for the provider are no content."""
    content = _response(caller, tools=[SECRET_TOOLS[tool]])

    assert [] == _leaks(content)
    assert [SECRET_TOOLS[tool]["type"]] == [definition["type"] for definition in content[TOOLS]]


@has_responses
def test_no_secret_of_a_tool_that_is_added_later_is_recorded(caller: Any) -> None:
    """As an item of the input, tools come as well."""
    tools = list(SECRET_TOOLS.values())
    added = {"type": "additional_tools", "role": "developer", "tools": tools}
    found = {
        "type": "tool_search_output",
        "call_id": "c_1",
        "execution": "client",
        "status": "completed",
        "tools": tools,
    }

    content = _response(caller, input=[added, found])

    assert [] == _leaks(content)


@has_responses
def test_actions_of_a_computer_call_are_its_arguments(caller: Any) -> None:
    """One, or in newer models several at once."""
    actions = [{"type": "click", "button": "left", "x": 1, "y": 2}, {"type": "wait"}]
    call = {"type": "computer_call", "id": "cu_1", "call_id": "c_1", "status": "completed", "pending_safety_checks": []}

    content = _response(caller, {**call, "action": actions[0]}, {**call, "actions": actions})

    one, several = (part["arguments"] for part in content[OUTPUT][0]["parts"])
    assert actions[0] == one
    assert several in (actions, {"actions": actions})


@has_responses
def test_an_answer_of_a_local_shell_names_its_call(caller: Any) -> None:
    """Its `id` is that of the call: it has no `call_id`."""
    content = _response(caller, input=[{"type": "local_shell_call_output", "id": "c_1", "output": "done"}])

    assert ["c_1"] == [part["id"] for part in content[INPUT][0]["parts"]]


@has_responses
def test_an_approval_is_not_a_message_of_the_model(caller: Any) -> None:
    """It is the application that approves a call of a tool."""
    approval = {"type": "mcp_approval_response", "approval_request_id": "mcpr_1", "approve": True}

    content = _response(caller, input=[approval])

    assert "assistant" != content[INPUT][0]["role"]
