"""Message content becomes parts by the conventions' schemas, and JSON whatever is in it."""

from __future__ import annotations

import contextvars
import enum
import json
import math
from base64 import b64encode, encodebytes, urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime, timezone
from functools import partial
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pydantic
import pytest

from loopback.schemas import CONTENT, complaints
from opentelemetry_instrumentation_genai._adapter import parts as content


class Model(pydantic.BaseModel):
    """As an SDK's: unknown members are kept."""

    model_config = pydantic.ConfigDict(extra="allow")
    known: Any = 1


class Colour(enum.Enum):
    """Nothing that JSON has."""

    RED = 1


class Color(str, enum.Enum):
    """A text that is also a member of something."""

    RED = "red"


class Secretive:
    """An object that answers no question."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(name)


def nested(depth: int, value: Any = 1) -> Any:
    """A list in a list in a list."""
    for _ in range(depth):
        value = [value]
    return value


def circular() -> dict[str, Any]:
    """A dict that holds itself."""
    value: dict[str, Any] = {"name": "circle"}
    value["self"] = value
    return value


HOSTILE = {
    "a lone surrogate": "\ud800",
    "a lone surrogate as a key": {"\ud800": 1},
    "not a number": math.nan,
    "infinities": [math.inf, -math.inf],
    "too large for 64 bits": 1 << 64,
    "too small for 64 bits": -(1 << 64),
    "bytes": b"\x00\xff",
    "a bytearray": bytearray(b"abc"),
    "an object": object(),
    "an object that answers no question": Secretive(),
    "a class": Model,
    "a function": print,
    "a generator": (number for number in (1, 2)),
    "an iterator": iter([1, 2]),
    "a set": {1},
    "an enum": Colour.RED,
    "an enum of ints": HTTPStatus.OK,
    "a model": Model(known=Model(), unknown=[Model()]),
    "a model with a hostile value": Model(known=object()),
    "a circle": circular(),
    "a hundred levels": nested(100),
    "ten thousand levels": nested(10_000),
    "numbers as keys": {1: "one", 2.5: "two and a half", None: "none"},
    "a pair as a key": {(1, 2): 3},
    "a mixed list": [1, "two", 3.0, None, True, {"four": 4}, [5]],
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("place", ["arguments", "a member of arguments", "a response", "a generic part"])
def test_content_is_json_and_utf8_whatever_is_in_it(value: Any, place: str) -> None:
    """The text is JSON that every parser reads, and the structured form has no other values than it."""
    part = {
        "arguments": lambda: content.tool_call("call_1", "find", value),
        "a member of arguments": lambda: content.tool_call("call_1", "find", {"words": [value]}),
        "a response": lambda: content.tool_call_response("call_1", value),
        "a generic part": lambda: content.generic({"type": "new", "value": value}),
    }[place]()
    text, structured = content.serialised([{"role": "user", "parts": [part]}])
    text.encode("utf-8")
    parsed = json.loads(text, parse_constant=pytest.fail)
    assert [] == complaints("gen_ai.input.messages", parsed)
    assert parsed == structured
    assert [] == list(_foreign(structured))


def _foreign(value: Any) -> Any:
    """What OTLP has no value for."""
    if isinstance(value, dict):
        for key, entry in value.items():
            if not isinstance(key, str):
                yield key
            yield from _foreign(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _foreign(entry)
    elif isinstance(value, int):
        yield from () if -(1 << 63) <= value < 1 << 63 else (value,)
    elif value is not None and not isinstance(value, (str, float)):
        yield value


def test_plain_values_pass_as_they_are() -> None:
    """Content without anything odd in it is not copied, and not changed."""
    messages = [{"role": "user", "parts": [{"type": "text", "content": "héllo"}]}]
    text, structured = content.serialised(messages)
    assert '[{"role":"user","parts":[{"type":"text","content":"héllo"}]}]' == text
    assert messages is structured


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (True, True),
        (None, None),
        (0, 0),
        (0.5, 0.5),
        ("text", "text"),
        ("a\ud800b", "a?b"),
        ((1, (2,)), [1, [2]]),
        ({"a": 1, "b": None, "c": [None]}, {"a": 1, "b": None, "c": [None]}),
        ({True: 1, None: 2, 3: 3, 0.5: 4}, {"true": 1, "null": 2, "3": 3, "0.5": 4}),
        ([math.nan, math.inf, -math.inf], ["NaN", "Infinity", "-Infinity"]),
        (datetime(2026, 11, 9, 8, 30, tzinfo=timezone.utc), "2026-11-09T08:30:00+00:00"),
        (Color("red"), "red"),
        ((1 << 63) - 1, (1 << 63) - 1),
        (1 << 63, "9223372036854775808"),
        (-(1 << 63), -(1 << 63)),
        (object(), "<object>"),
        (b"abc", {"byte_size": 3, "sha256": sha256(b"abc").hexdigest()}),
        (Model(unknown=Model(known="x")), {"known": 1, "unknown": {"known": "x"}}),
    ],
)
def test_anything_becomes_json_values(value: Any, expected: Any) -> None:
    """Models by their members, a null as one, binary data by its fingerprint, the rest by its type."""
    assert expected == content.plain(value)


def test_depth_is_bounded() -> None:
    """What is deeper is named by its type."""
    assert [[["<list>"]]] == content.plain(nested(9), 3)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ('{"city": "Lima"}', {"city": "Lima"}),
        ("{}", {}),
        ("", ""),
        ('{"city": "Li', '{"city": "Li'),
        ("null", None),
        ("[" * 200_000, "[" * 200_000),
        ({"city": "Lima"}, {"city": "Lima"}),
        ('{"n": 9007199254740993}', {"n": 9007199254740993}),
        ('{"n": 1234567890123456789}', {"n": 1234567890123456789}),
        ('{"n": -9223372036854775808}', {"n": -9223372036854775808}),
        ('{"n": 9223372036854775808}', {"n": "9223372036854775808"}),
        ('{"n": ' + "9" * 5000 + "}", {"n": "9" * 5000}),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_arguments_are_recorded_as_what_their_json_means(arguments: Any, expected: Any) -> None:
    """Whole JSON as values, with every number that 64 bits hold; a piece of JSON as the text that came."""
    assert {"type": "tool_call", "id": "c", "name": "f", "arguments": expected} == content.tool_call(
        "c", "f", arguments
    )


def test_a_tool_call_without_a_name_has_an_empty_one() -> None:
    """The schema wants one."""
    assert [] == complaints(
        "gen_ai.output.messages",
        [{"role": "assistant", "finish_reason": "stop", "parts": [content.tool_call(None, None, None)]}],
    )


PIXEL = b"\x89PNG\r\n\x1a\n\xff\xfe\xfd"
BASE64 = b64encode(PIXEL).decode()
FINGERPRINT = {"byte_size": len(PIXEL), "sha256": sha256(PIXEL).hexdigest()}
HELLO = {"byte_size": 11, "sha256": sha256(b"hello world").hexdigest()}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"data": BASE64}, {"mime_type": None, **FINGERPRINT}),
        ({"data": BASE64, "mime_type": "image/png"}, {"mime_type": "image/png", **FINGERPRINT}),
        ({"data": BASE64.replace("+", "-").replace("/", "_")}, {"mime_type": None, **FINGERPRINT}),
        ({"data": "\n".join(BASE64)}, {"mime_type": None, **FINGERPRINT}),
        ({"url": f"data:image/png;base64,{BASE64}"}, {"mime_type": "image/png", **FINGERPRINT}),
        ({"url": f"DATA:image/png;base64,{BASE64}"}, {"mime_type": "image/png", **FINGERPRINT}),
        ({"url": f"data:image/png;name=a.png;base64,{BASE64}"}, {"mime_type": "image/png", **FINGERPRINT}),
        ({"url": f"data:;base64,{BASE64}"}, {"mime_type": None, **FINGERPRINT}),
        ({"url": "data:text/plain,hello%20world"}, {"mime_type": "text/plain", **HELLO}),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_what_is_inline_becomes_its_fingerprint(given: dict[str, Any], expected: dict[str, Any]) -> None:
    """Size and digest are of the bytes, however they are spelled; the bytes themselves are left out."""
    assert {"type": "blob", "modality": "image", **expected, "content": ""} == content.attached("image", **given)


@pytest.mark.parametrize("generation", ["v1.41", "latest"])
@pytest.mark.parametrize("binary", [False, True])
@pytest.mark.parametrize("modality", ["image", "audio", "video", "document"])
def test_a_blob_is_one_by_the_schemas_of_both_generations(modality: str, binary: bool, generation: str) -> None:
    """Which want `content`: it is empty where the bytes are left out, and where only the SDK reads the file."""
    with_bytes = contextvars.copy_context()
    with_bytes.run(content.with_bytes.set, binary)
    parts = [
        with_bytes.run(partial(content.attached, modality, data=BASE64, mime_type=f"{modality}/x")),
        with_bytes.run(partial(content.attached, modality, url=f"data:{modality}/x;base64,{BASE64}")),
        content.unread(modality, None),
    ]
    expected = BASE64 if binary else ""
    assert [expected, expected, ""] == [part["content"] for part in parts]
    for name, more in (("gen_ai.input.messages", {}), ("gen_ai.output.messages", {"finish_reason": "stop"})):
        message = {"role": "assistant", "parts": parts, **more}
        assert [] == complaints(name, [message], generation=generation)


SDKS = ("anthropic", "ollama", "openai")
SNAPSHOTS = [path for sdk in SDKS for path in sorted(Path(__file__).parents[1].glob(f"{sdk}/snapshots/*/*.json"))]


@pytest.mark.parametrize("generation", ["v1.41", "latest"])
@pytest.mark.parametrize("path", SNAPSHOTS, ids=lambda path: f"{path.parts[-4]}-{path.parent.name}-{path.stem}")
def test_every_snapshot_has_content_by_the_schemas_of_both_generations(path: Path, generation: str) -> None:
    """Images, sounds and documents among it."""
    snapshot = json.loads(path.read_text(encoding="utf-8"))
    for name in CONTENT:
        if name in snapshot["attributes"]:
            assert [] == complaints(name, snapshot["attributes"][name], generation=generation)


@pytest.mark.parametrize("missing", [0, 1, 2])
@pytest.mark.parametrize(
    "spelled",
    [
        lambda given: {"data": b64encode(given).decode()},
        lambda given: {"data": b64encode(given).decode().rstrip("=")},
        lambda given: {"data": urlsafe_b64encode(given).decode()},
        lambda given: {"data": encodebytes(given).decode()},
        lambda given: {"data": encodebytes(given).decode().replace("\n", "\r\n")},
        lambda given: {"url": f"data:image/png;base64,{b64encode(given).decode()}"},
        lambda given: {"url": "data:image/png," + "".join(f"%{byte:02x}" for byte in given)},
    ],
    ids=["base64", "no padding", "URL-safe", "in lines", "in lines of e-mail", "a data URL", "no base64"],
)
def test_of_very_long_base64_the_size_alone_is_recorded(spelled: Any, missing: int) -> None:
    """Above 4 MiB nothing is decoded: the length tells the size. The bytes are left out even if they are asked for."""
    given = bytes(range(1, 256)) * 17_000
    given = given[: len(given) - missing]
    part = contextvars.copy_context().run(_with_bytes, lambda: content.attached("image", **spelled(given)))
    assert ("blob", len(given), "", False) == (part["type"], part["byte_size"], part["content"], "sha256" in part)
    assert {"byte_size": len(given)} == content.plain(given)


def test_up_to_4_mib_the_digest_is_recorded() -> None:
    """Of base64, of a data URL and of bytes."""
    given = bytes(1 << 22)
    expected = {"byte_size": 1 << 22, "sha256": sha256(given).hexdigest()}
    data = b64encode(given).decode()
    for part in (content.attached("image", data=data), content.plain({"type": "base64", "data": data})):
        assert expected == {name: part[name] for name in expected}
    assert expected == content.plain(given)


def _with_bytes(make: Callable[[], Any]) -> Any:
    content.with_bytes.set(True)
    return make()


@pytest.mark.parametrize("data", ["", "a", "!", "é", "\ud800", "data:", BASE64[:-3]])
def test_broken_base64_is_a_blob_all_the_same(data: str) -> None:
    """The provider's error reaches whoever sent it."""
    part = content.attached("image", data=data)
    assert ("blob", True) == (part["type"], part["byte_size"] >= 0)


def test_what_is_elsewhere_is_recorded_by_its_address() -> None:
    """An address, an id of an upload."""
    assert [
        {"type": "uri", "modality": "image", "mime_type": None, "uri": "https://example.com/a.png"},
        {"type": "file", "modality": "document", "mime_type": None, "file_id": "file-1"},
    ] == [
        content.attached("image", url="https://example.com/a.png"),
        content.attached("document", file_id="file-1"),
    ]


@pytest.mark.parametrize(
    ("mime_type", "modality"),
    [("image/png", "image"), ("audio/wav", "audio"), ("video/mp4", "video"), ("application/pdf", "document"),
     ("", "document"), (None, "document"), (7, "document"), ("imageish", "document")],
)  # fmt: skip
def test_modality_follows_the_mime_type(mime_type: Any, modality: str) -> None:
    """What is no image, sound or video is a document."""
    assert modality == content.modality_of(mime_type)


@pytest.mark.parametrize("source", [None, "text", 7, [], {}, {"type": None}, {"type": 7}, {"type": ["x"]}, Model()])
def test_a_generic_part_has_a_type(source: Any) -> None:
    """Whatever it is made of."""
    part = content.generic(source)
    assert (True, True) == (isinstance(part["type"], str), part["type"] != "")
    assert [] == complaints("gen_ai.input.messages", [{"role": "user", "parts": [part]}])


def test_a_generic_part_has_no_bytes() -> None:
    """Inline data is found at any depth."""
    picture = {"type": "blob", "modality": "image", "mime_type": "image/png", **FINGERPRINT, "content": ""}
    part = content.generic({"type": "new", "deep": [{"picture": f"data:image/png;base64,{BASE64}"}]})
    assert {"type": "new", "deep": [{"picture": picture}]} == part


def test_a_text_stays_a_text_beside_an_odd_value() -> None:
    """What another part holds changes no part: a text that looks like a data URL has a text as its content."""
    message = {"role": "user", "parts": [content.text(f"data:image/png;base64,{BASE64}"), {"type": "x", "y": object()}]}
    _, structured = content.serialised([message])
    assert [] == complaints("gen_ai.input.messages", structured)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"a": "", "b": "two"}, "two"),
        ({"a": "one", "b": "two"}, "one"),
        ({"a": 1, "b": None}, None),
        (None, None),
        ("a", None),
        (Model(a="one"), "one"),
    ],
)
def test_the_first_text_is_the_first_that_is_one(source: Any, expected: str | None) -> None:
    """Neither empty nor of another type."""
    assert expected == content.first_text(source, "a", "b")
