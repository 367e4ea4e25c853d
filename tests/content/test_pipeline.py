"""What holds of any content, however much of it is allowed and whatever is redacted."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given, settings, strategies as st

from loopback.schemas import CONTENT, complaints
from opentelemetry_instrumentation_genai._adapter.anthropic_api.messages import MESSAGES
from opentelemetry_instrumentation_genai._adapter.openai_api.chat import CHAT
from opentelemetry_instrumentation_genai._adapter.openai_api.responses import RESPONSES
from opentelemetry_instrumentation_genai._adapter.parts import (
    attached,
    generic,
    reasoning,
    text,
    tool_call,
    tool_call_response,
)
from opentelemetry_instrumentation_genai._content.budget import Budget
from opentelemetry_instrumentation_genai._content.pipeline import Pipeline
from opentelemetry_instrumentation_genai._content.redaction import Redaction, redaction
from opentelemetry_instrumentation_genai._masking.rules import RULES
from opentelemetry_instrumentation_genai.ollama._chat import CHAT as OLLAMA_CHAT

pytestmark = [pytest.mark.exhaustive, pytest.mark.pure]

INPUT, OUTPUT, SYSTEM, TOOLS, DOCUMENTS = CONTENT
QUERY = "gen_ai.retrieval.query.text"
ENOUGH = 1 << 20
# The same each time, so that what fails here fails everywhere.
anything = settings(max_examples=150, deadline=None, database=None, derandomize=True)

TEXTS = st.one_of(
    st.text(max_size=40),
    st.text(st.sampled_from('a"\\\n\x00é€😀\x1b'), max_size=400),
    st.builds(lambda piece, times: piece * times, st.sampled_from(["word ", '"\\', "é", "😀"]), st.integers(0, 3000)),
    st.sampled_from(
        ["joe@example.com", "sk-proj-0123456789abcdef", "10.0.0.1 " * 50, "4111 1111 1111 1111", "data:,x"]
    ),
)
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), TEXTS),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=8,
)
PARTS = st.one_of(
    st.builds(text, TEXTS),
    st.builds(text, TEXTS, annotations=st.lists(JSON, max_size=2)),
    st.builds(reasoning, TEXTS),
    st.builds(tool_call, TEXTS, TEXTS, JSON),
    st.builds(tool_call_response, TEXTS, JSON),
    st.builds(generic, JSON),
    st.builds(lambda data: attached("image", data=data), TEXTS),
)
MESSAGE = {
    "role": st.one_of(st.sampled_from(["user", "assistant", "tool"]), TEXTS),
    "parts": st.lists(PARTS, max_size=4),
}
CONTENTS = st.fixed_dictionaries(
    {},
    optional={
        INPUT: st.lists(st.fixed_dictionaries(MESSAGE, optional={"name": TEXTS}), max_size=5),
        OUTPUT: st.lists(st.fixed_dictionaries({**MESSAGE, "finish_reason": TEXTS}), max_size=2),
        SYSTEM: st.lists(st.builds(text, TEXTS), max_size=3),
        TOOLS: st.lists(
            st.builds(lambda definition, name: {**generic(definition, "function"), "name": name}, JSON, TEXTS),
            max_size=3,
        ),
    },
)
BUDGETS = st.builds(
    Budget, st.one_of(st.integers(0, 3000), st.just(ENOUGH)), st.one_of(st.integers(0, 1000), st.just(ENOUGH))
)
REDACTIONS = st.one_of(
    st.none(),
    st.lists(st.sampled_from([*RULES]), unique=True).map(redaction),
    st.sampled_from(
        [
            Redaction(redactors=[("drops", lambda _part: None)]),
            Redaction(redactors=[("texts only", lambda part: part if part["type"] == "text" else None)]),
            Redaction([*RULES["email"]], redactors=[("adds", lambda part: {**part, "more": ["joe@example.com"] * 99})]),
        ]
    ),
)


def hold(content: dict[str, Any], pipeline: Pipeline, budget: Budget) -> None:
    """What is rendered is JSON by its schema, the same in both forms, and within the budget."""
    rendered = pipeline.render(content, pipeline.begin())
    assert rendered.texts.keys() == rendered.values.keys()
    for name, encoded in rendered.texts.items():
        parsed = json.loads(encoded, parse_constant=pytest.fail)
        assert parsed == rendered.values[name]
        assert [] == complaints(name, parsed)
    assert budget.call >= sum(len(encoded.encode()) for encoded in rendered.texts.values())


@anything
@given(CONTENTS, BUDGETS, REDACTIONS, st.booleans())
@example({INPUT: [{"role": "user", "parts": [text("x" * 9000)]}]}, Budget(1000, ENOUGH), None, False)
def test_any_content_within_any_budget(content, budget, redacted, binary):
    """Whatever the messages are made of, however small the budget is, and whatever is redacted."""
    hold(content, Pipeline(redacted, budget, binary=binary), budget)


BODIES = st.fixed_dictionaries(
    {},
    optional={
        name: st.one_of(
            JSON,
            st.lists(
                st.fixed_dictionaries(
                    {},
                    optional={
                        "role": TEXTS,
                        "type": st.one_of(st.sampled_from(["text", "image", "function", "tool_result", "blob"]), TEXTS),
                        "content": st.one_of(
                            TEXTS,
                            st.lists(
                                st.fixed_dictionaries(
                                    {"type": st.sampled_from(["text", "input_text", "x"]), "text": JSON}
                                ),
                                max_size=3,
                            ),
                        ),
                        "tool_calls": st.lists(JSON, max_size=2),
                        "name": JSON,
                    },
                ),
                max_size=4,
            ),
        )
        for name in ("messages", "input", "tools", "system", "instructions")
    },
)


@anything
@given(st.sampled_from([CHAT, RESPONSES, MESSAGES, OLLAMA_CHAT]), BODIES, BUDGETS, REDACTIONS)
def test_any_request_within_any_budget(operation, body, budget, redacted):
    """The same of what callers give, which no SDK checks."""
    pipeline = Pipeline(redacted, budget)
    hold(pipeline.make(operation.input_content, body), pipeline, budget)


@anything
@given(CONTENTS)
def test_what_fits_is_recorded_whole(content):
    """Without redaction and with room enough, nothing is changed."""
    before = Pipeline(None, Budget(ENOUGH << 10, ENOUGH << 10)).render(dict(content), None)
    redacting = Pipeline(redaction(["iban"]), Budget(ENOUGH << 10, ENOUGH << 10))
    after = redacting.render(dict(content), redacting.begin())

    assert (None, None) == (before.original_bytes, after.original_bytes)
    assert before == after


def rendered(content: dict[str, Any], call: int = ENOUGH, part: int = ENOUGH, **settings: Any) -> dict[str, Any]:
    """What remains of content."""
    return Pipeline(None, Budget(call, part), **settings).render(content, None).values


def user_messages(*texts: str) -> dict[str, Any]:
    """Messages of a user."""
    return {INPUT: [{"role": "user", "parts": [text(content)]} for content in texts]}


def test_the_newest_is_recorded_and_the_rest_is_counted():
    """Whole parts from the end on, then the beginning of one; a mark says how many are left out, and how large they were."""
    content = user_messages("a" * 500, "b" * 500, "c" * 500, "d" * 100)

    (mark,), (cut,), last = (message["parts"] for message in rendered(content, 700)[INPUT])

    assert {"type": "cut", "parts": 2, "original_bytes": 2 * len('{"type":"text","content":""}') + 1000} == mark
    assert [text("d" * 100)] == last
    assert ("text", 500, set("c")) == (cut["type"], cut["original_bytes"], set(cut["content"]))


def test_output_comes_before_input():
    """And input before system instructions and tools; of what there is no room for, a mark is left, or nothing."""
    content = {
        TOOLS: [{"type": "function", "name": "f"}],
        SYSTEM: [text("s" * 300)],
        **user_messages("i" * 300),
        OUTPUT: [{"role": "assistant", "parts": [text("o" * 300)], "finish_reason": "stop"}],
    }
    whole = {name: [*value] for name, value in content.items()}

    little, more = rendered(dict(content), 600), rendered(dict(content), 970)

    mark = {"type": "cut", "parts": 1, "original_bytes": 328}
    assert {OUTPUT: whole[OUTPUT], INPUT: [{"role": "user", "parts": [mark]}]} == little
    assert {OUTPUT: whole[OUTPUT], INPUT: whole[INPUT]} == {name: more[name] for name in (OUTPUT, INPUT)}
    assert "cut" == more[SYSTEM][0]["type"]
    assert TOOLS not in more


@pytest.mark.parametrize("character", ["a", "é", "€", "😀", '"', "\\", "\x00", "\n"])
def test_a_text_is_cut_between_characters(character):
    """In as many bytes as there are, whatever a character takes in JSON."""
    for room in range(80, 120):
        (message,) = rendered(user_messages(character * 300), part=room)[INPUT]
        (part,) = message["parts"]
        assert {character} == set(part["content"])
        assert room - 6 <= len(json.dumps(part, ensure_ascii=False, separators=(",", ":")).encode()) <= room
        assert len((character * 300).encode()) == part["original_bytes"]


def test_what_is_no_text_is_marked():
    """Arguments are cut as the text of their JSON; of other parts a mark is left; those before them are recorded."""
    content = {
        INPUT: [
            {"role": "user", "parts": [text("first"), {"type": "new", "deep": ["x" * 500]}]},
            {"role": "assistant", "parts": [tool_call("call_1", "find", {"words": "y" * 500})]},
        ]
    }

    (first, mark), (call,) = (message["parts"] for message in rendered(content, part=200)[INPUT])

    assert text("first") == first
    assert {"type": "cut", "original_bytes": 526} == mark
    assert ("call_1", "find", 512) == (call["id"], call["name"], call["original_bytes"])
    assert call["arguments"].startswith('{"words":"yyy')


def test_what_is_too_large_to_be_looked_at_is_recorded_without_its_name():
    """Nothing of a part gets past redaction, though it be cut."""
    call = {"type": "tool_call", "id": "1", "name": "mail_joe@example.com", "arguments": {"n": [1] * 100_000}}
    pipeline = Pipeline(redaction(["email"]), Budget(ENOUGH, 1000))

    rendered = pipeline.render({INPUT: [{"role": "assistant", "parts": [call]}]}, pipeline.begin())

    assert "joe" not in rendered.texts[INPUT]
    assert {"type": "cut", "name": "cut"}.items() <= rendered.values[INPUT][0]["parts"][0].items()


def test_a_cut_is_recorded_with_the_size_of_all():
    """And no size is recorded where nothing is cut."""
    assert None is Pipeline(None, Budget(ENOUGH, ENOUGH)).render(user_messages("a" * 99), None).original_bytes
    whole = len(json.dumps(user_messages("a" * 99)[INPUT], separators=(",", ":")))
    assert whole == Pipeline(None, Budget(ENOUGH, 60)).render(user_messages("a" * 99), None).original_bytes


def test_no_half_secret_is_recorded():
    """A key that a cut goes through is found before: not a piece of it is left."""
    key = "sk-proj-" + "Ab3" * 16
    for room in range(180, 260):
        pipeline = Pipeline(redaction(["secrets"]), Budget(ENOUGH, room))
        (message,) = pipeline.render(user_messages("w " * 60 + key + " end" * 3000), pipeline.begin()).values[INPUT]
        assert "Ab3" not in message["parts"][0]["content"]
        assert "sk-" not in message["parts"][0]["content"]


ARGUMENTS, RESULT, LATER = "gen_ai.tool.call.arguments", "gen_ai.tool.call.result", "gen_ai.attribute.of.tomorrow"
VALUES = {
    "an object": {"to": "joe@example.com", "end": None},
    "a text": "to joe@example.com",
    "a list of texts": ["joe@example.com", 1, None],
    "a list of parts": [{"type": "text", "content": "joe@example.com"}],
    "messages": [{"role": "user", "parts": [{"type": "text", "content": "joe@example.com"}]}],
    "a number": 7,
    "null": None,
    "nothing": {},
}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
@pytest.mark.parametrize("name", [ARGUMENTS, RESULT, LATER])
def test_every_attribute_of_content_is_redacted(name, value):
    """Whatever it is called and whatever it holds, in both forms; a redactor sees each as a part. A text is recorded as itself."""
    seen: list[Any] = []

    def look(part: dict[str, Any]) -> dict[str, Any]:
        seen.append(part)
        return part

    rules = redaction(["email"])
    pipeline = Pipeline(Redaction(rules.rules, redactors=[("look", look)]), Budget(ENOUGH, ENOUGH))
    rendered = pipeline.render({name: value}, pipeline.begin())

    expected = json.loads(json.dumps(value).replace("joe@example.com", "[email]"))
    recorded = rendered.texts[name]
    assert (expected, expected) == (rendered.values[name], recorded if isinstance(value, str) else json.loads(recorded))
    assert [name] * (seen[0]["type"] == "value") == [part["name"] for part in seen if part["type"] == "value"]


@pytest.mark.parametrize("value", [{"words": "y" * 500}, "y" * 500, ["y"] * 200, {"n": [1] * 100_000}])
@pytest.mark.parametrize("name", [ARGUMENTS, RESULT, LATER])
def test_every_attribute_of_content_that_is_cut_says_so(name, value):
    """By an object in its place with the size that it had, and the beginning of it as far as there is room."""
    whole = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
    rendered = Pipeline(None, Budget(ENOUGH, 200)).render({name: value}, None)
    cut = rendered.values[name]

    assert "cut" == cut["type"]
    assert len(whole) <= cut["original_bytes"] <= len(whole) + 100
    assert whole.startswith(cut.get("content", ""))
    assert len(rendered.texts[name]) <= 200
    assert len(whole) == rendered.original_bytes


def test_what_there_is_no_room_for_is_marked_by_the_size_of_all():
    """As with messages; what stands last comes first."""
    rendered = Pipeline(None, Budget(700, ENOUGH)).render({ARGUMENTS: {"a": "x" * 900}, RESULT: "y" * 600}, None)

    assert ({RESULT}, 1508) == (rendered.values.keys(), rendered.original_bytes)


def test_each_attribute_is_cut_to_what_the_sdk_keeps():
    """The call may have more in all; one that is cut takes nothing from the others."""
    content = {
        **user_messages("a" * 500),
        OUTPUT: [{"role": "assistant", "parts": [text("b" * 900)], "finish_reason": "stop"}],
    }
    pipeline = Pipeline(None, Budget(ENOUGH, ENOUGH), limit=lambda: 400)
    rendered = pipeline.render({**content, ARGUMENTS: {"a": 1}}, None)

    assert {INPUT, OUTPUT, ARGUMENTS} == rendered.texts.keys()
    assert [True, True] == [200 < len(rendered.texts[name]) <= 400 for name in (INPUT, OUTPUT)]
    assert {"a": 1} == rendered.values[ARGUMENTS]


def test_binary_data_on_request():
    """Its bytes in base64, which count in the budget like anything; without room for them, the rest of the part."""

    def make() -> dict[str, Any]:
        return {INPUT: [{"role": "user", "parts": [attached("image", url="data:image/png;base64,AAEC")]}]}

    def blob(call: int, *, binary: bool) -> Any:
        pipeline = Pipeline(None, Budget(call, call), binary=binary)
        return pipeline.render(pipeline.make(make), pipeline.begin()).values[INPUT][0]["parts"][0]

    without = blob(ENOUGH, binary=False)
    assert ({"type", "modality", "mime_type", "byte_size", "sha256", "content"}, 3) == (
        without.keys(),
        without["byte_size"],
    )
    assert {**without, "content": "AAEC"} == blob(ENOUGH, binary=True)


def test_base64_that_was_asked_for_is_not_redacted():
    """It is no text, and would not be what it was."""
    pipeline = Pipeline(redaction(["all"]), Budget(ENOUGH, ENOUGH), binary=True)
    content = pipeline.make(lambda: {INPUT: [{"role": "user", "parts": [attached("image", data="4111111111111111")]}]})

    assert "4111111111111111" == pipeline.render(content, pipeline.begin()).values[INPUT][0]["parts"][0]["content"]


def test_a_blob_of_the_callers_is_redacted():
    """Only what was made here counts as bytes."""
    pipeline = Pipeline(redaction(["all"]), Budget(ENOUGH, ENOUGH), binary=True)
    content = {INPUT: [{"role": "user", "parts": [generic({"type": "blob", "content": "joe@example.com"})]}]}

    assert "[email]" == pipeline.render(content, pipeline.begin()).values[INPUT][0]["parts"][0]["content"]


def test_a_text_is_carried_as_it_is():
    """The query of a retrieval is a text by the conventions, and no JSON; so is what is left of one that is cut."""
    rendered = Pipeline(None, Budget(ENOUGH, ENOUGH)).render({QUERY: 'What is "tea"?'}, None)
    cut = Pipeline(None, Budget(ENOUGH, 200)).render({QUERY: "tea " * 200}, None)

    assert ('What is "tea"?', 'What is "tea"?') == (rendered.texts[QUERY], rendered.values[QUERY])
    assert cut.texts[QUERY] == cut.values[QUERY]
    assert cut.texts[QUERY].startswith("tea tea")
    assert len(cut.texts[QUERY]) < 200
    assert 800 == cut.original_bytes


def test_the_first_documents_are_kept():
    """They fit the query best: the budget cuts those after them, and the list says how many there were."""
    documents = [text(name * 300, id=name, score=1.0) for name in "abcd"]
    rendered = Pipeline(None, Budget(900, ENOUGH)).render({QUERY: "tea", DOCUMENTS: documents}, None)
    first, second, mark = rendered.values[DOCUMENTS]

    assert "tea" == rendered.values[QUERY]
    assert ("a", documents[0]) == (first["id"], first)
    assert ("b", 300) == (second["id"], second["original_bytes"])
    assert ("cut", 2) == (mark["type"], mark["parts"])
    assert [] == complaints(DOCUMENTS, json.loads(rendered.texts[DOCUMENTS]))
