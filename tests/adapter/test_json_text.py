"""A body is read without building what nobody reads of it, and the result is what `json` says of the rest."""

from __future__ import annotations

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import example, given, strategies as st

from opentelemetry_instrumentation_genai._adapter.json_text import LARGEST, read_json

pytestmark = [pytest.mark.exhaustive, pytest.mark.pure]

UNREAD = frozenset({"data", "embeddings"})
NAMES = st.sampled_from(["data", "embeddings", "usage", "model", "", 'd"ata', "data\\", "d\u00e4ta", "\ud83d\ude00"])
TEXTS = st.one_of(st.text(), st.text(alphabet='"\\[]{},: \n'))
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXTS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner), st.lists(st.floats()), st.dictionaries(NAMES | st.text(), inner)),
    max_leaves=20,
)
OBJECTS = st.dictionaries(NAMES | st.text(max_size=3), VALUES)
VECTOR = "[" + "0.0123456789, " * 1535 + "1]"
EMBEDDING = f'{{"object": "embedding", "index": 0, "usage": {{"data": 1}}, "embedding": {VECTOR}}}'
MEASURED = '"model": "m", "usage": {"prompt_tokens": 8, "data": [1]}'
EXPECTED = {"model": "m", "usage": {"prompt_tokens": 8, "data": [1]}}


def rest_of(value: Any) -> Any:
    """What is to be left."""
    return {name: one for name, one in value.items() if name not in UNREAD} if isinstance(value, dict) else value


@given(OBJECTS | VALUES, st.sampled_from([None, 0, 1, "\t"]), st.booleans(), st.sampled_from(["", " ", "\r\n\t"]))
@example({"data": {"usage": {"data": [[]]}}, "usage": {"data": "]"}}, None, True, "")
def test_what_is_read_of_any_json_is_what_it_says(value: Any, indent: Any, ascii_only: bool, space: str) -> None:
    """However it is written, whatever else has the names of what is left out, at any depth."""
    body = (space + json.dumps(value, indent=indent, ensure_ascii=ascii_only) + space).encode("utf-8", "surrogatepass")
    try:
        expected = rest_of(json.loads(body))
    except ValueError:  # a lone surrogate, which UTF-8 does not have
        expected = None

    assert repr(expected) == repr(read_json(body, UNREAD))
    assert repr(expected) == repr(read_json(bytearray(body), UNREAD))


@given(OBJECTS, st.data())
def test_what_is_no_json_is_nothing(value: Any, data: Any) -> None:
    """A body that was cut."""
    body = json.dumps(value).encode()
    cut = data.draw(st.integers(0, len(body) - 1))

    assert None is read_json(body[:cut], UNREAD)


@pytest.mark.parametrize(
    "body",
    [b'{"a" 1}', b'{"a": 1,}', b'{"a": 1 "b": 2}', b'{"a": 1}}', b'{"a": 1} x', b"{a: 1}", b'{"a": }', b'{"a"', b"{,}"],
)
def test_what_is_nearly_json_is_nothing(body: bytes) -> None:
    """As for `json`."""
    assert None is read_json(body, UNREAD)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_other_encodings_are_read(encoding: str) -> None:
    """Those that `json` knows, if the body is not too large."""
    assert EXPECTED == rest_of(read_json(f'{{"data": [[1.5]], {MEASURED}}}'.encode(encoding), UNREAD))


@pytest.mark.parametrize("order", ["{data}, {measured}", "{measured}, {data}"])
@pytest.mark.parametrize("name", ["data", "d\\u0061ta"])
@pytest.mark.parametrize("content", [EMBEDDING, f'"{"QUJD" * 2048}"', f'"{"x" * 9000}\\\\\\""', VECTOR])
def test_vectors_are_never_built(content: str, name: str, order: str) -> None:
    """15 MiB of them, numbers or base64: next to no memory is taken for what they are."""
    data = f'"{name}": [' + ", ".join([content] * (15 * 2**20 // len(content))) + "]"
    body = ("{" + order.format(data=data, measured=MEASURED) + "}").encode()
    tracemalloc.start()

    found = read_json(body, UNREAD)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert EXPECTED == found
    assert peak < 200_000


@pytest.mark.parametrize("unread", [UNREAD, frozenset()])
def test_what_is_too_large_to_be_read_is_nothing(unread: Any) -> None:
    """Nothing of it: what is there without the rest could be wrong."""
    body = json.dumps({"usage": {}, "choices": "x" * LARGEST}).encode()

    assert None is read_json(body, unread)
    assert {"usage": {}} == read_json(body.replace(b"choices", b"data"), UNREAD)


HOSTILE = {
    "open brackets": b"[" * (LARGEST + 1),
    "lists that do not end": b"[1" * (LARGEST // 2 + 1),
    "small lists": b"[[1]" + b",[1]" * (LARGEST // 4) + b"]",
    "small texts": b'[""' + b',""' * (LARGEST // 3 + 1) + b"]",
    "escaped quotation marks": b'"' + b'\\"' * (LARGEST // 2) + b'"',
    "backslashes": b'"' + b"\\\\" * (LARGEST // 2) + b'"',
}


@pytest.mark.parametrize("name", HOSTILE)
def test_what_has_too_many_parts_is_nothing(name: str) -> None:
    """It is given up after a number of them, and not gone through."""
    assert None is read_json(b'{"data": ' + HOSTILE[name] + b', "usage": {}}', UNREAD)


def test_too_many_members_are_nothing() -> None:
    """The same of the object itself."""
    assert None is read_json(b'{"a": 1' + b',"a": 1' * (LARGEST // 7) + b"}", UNREAD)
