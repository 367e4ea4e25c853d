"""Message content on its way into telemetry: parts by the JSON schemas of the conventions, and values that JSON can carry.

Binary data does not belong in telemetry: a part says what kind it was, how large, and its SHA-256, and has it only if asked.
"""

from __future__ import annotations

import json
import math
from base64 import b64decode, b64encode
from contextvars import ContextVar
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote_to_bytes

from ._fields import as_sent, member, string

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Part: TypeAlias = "dict[str, Any]"

_DEPTH = 24  # OTLP's decoders stop at 100 levels of protobuf, of which an object takes three
_INT64 = 1 << 63
encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
"""JSON values -> their JSON text."""
_LEFT_OUT = frozenset({"Omit", "NotGiven"})  # the SDKs' sentinels
# What the conventions have a schema for: only what is made here to that schema may be called so.
_DEFINED = frozenset(
    {"blob", "compaction", "file", "reasoning", "text", "uri"}
    | {"server_tool_call", "server_tool_call_response", "tool_call", "tool_call_response"}
)
_MODALITIES = {"image": "image", "audio": "audio", "video": "video"}
_URL_SAFE = str.maketrans("-_", "+/")


with_bytes: ContextVar[bool] = ContextVar("opentelemetry_instrumentation_genai.with_bytes", default=False)
"""Whether the bytes of what is inline are wanted, while content is made."""


class Dropped(Exception):  # noqa: N818 - nothing is wrong with the call
    """The content of a call is not to be told."""


class Blob(dict[str, Any]):
    """A part made of what is inline: its `content`, if it has any, is base64, and no text."""


def left_out(value: Any) -> bool:
    """Whether a member of a request is not given: it is null, or a sentinel of the SDKs."""
    return value is None or type(value).__name__ in _LEFT_OUT


def text(content: str, **more: Any) -> Part:
    """A text part."""
    return {"type": "text", "content": content if type(content) is str else as_sent(content), **more}


def reasoning(content: str, **more: Any) -> Part:
    """A reasoning part; `content` is empty where the provider keeps it to itself."""
    return {"type": "reasoning", "content": as_sent(content), **more}


def tool_call(identity: Any, name: Any, arguments: Any) -> Part:
    """A call of a tool that the application runs. Arguments in JSON are given as what they say."""
    return free_tool_call(identity, name, _arguments(arguments))


def free_tool_call(identity: Any, name: Any, given: Any) -> Part:
    """A call of a tool whose input is no JSON: a text stays as it is."""
    named = string(name) or str(plain(name) or "")
    return {"type": "tool_call", "id": _identity(identity), "name": named, "arguments": plain(given)}


def tool_call_response(identity: Any, response: Any) -> Part:
    """The application's answer to a tool call."""
    return {"type": "tool_call_response", "id": _identity(identity), "response": plain(response)}


def tool_call_answer(identity: Any, answer: Part | list[Part]) -> Part:
    """The same, where the answer is made of parts."""
    return {"type": "tool_call_response", "id": _identity(identity), "response": answer}


def server_tool_call(identity: Any, name: str, call: dict[str, Any]) -> Part:
    """A call of a tool that the provider runs."""
    return {"type": "server_tool_call", "id": _identity(identity), "name": name, "server_tool_call": call}


def server_tool_call_response(identity: Any, response: dict[str, Any]) -> Part:
    """What a tool that the provider runs gave."""
    return {"type": "server_tool_call_response", "id": _identity(identity), "server_tool_call_response": response}


def _identity(identity: Any) -> str | None:
    return string(identity) if identity is None or isinstance(identity, str) else str(plain(identity))


def attached(modality: str, *, url: Any = None, data: Any = None, file_id: Any = None, mime_type: Any = None) -> Part:
    """An image, a sound or a document: by reference as a `uri` or `file` part, inline as a `blob` part, by default without its bytes.

    Args:
        modality: image, audio, video or document.
        url: where it is, or a `data:` URL that holds it.
        data: its bytes in base64.
        file_id: the provider's id of an uploaded file.
        mime_type: its MIME type, if known.
    """
    if isinstance(url, str) and url[:5].lower() == "data:":
        head, _, data = url[5:].partition(",")
        mime_type = mime_type or head.partition(";")[0] or None
        content = _decoded(data) if head.endswith(";base64") else unquote_to_bytes(data)
        return _blob(modality, mime_type, content)
    if isinstance(data, str):
        return _blob(modality, mime_type, _decoded(data))
    if isinstance(url, str):
        return {"type": "uri", "modality": modality, "mime_type": mime_type, "uri": url}
    return {"type": "file", "modality": modality, "mime_type": mime_type, "file_id": str(file_id or "")}


def _blob(modality: str, mime_type: Any, content: bytes) -> Part:
    blob = Blob(type="blob", modality=modality, mime_type=mime_type, **_fingerprint(content))
    if with_bytes.get():
        blob["content"] = b64encode(content).decode()
    return blob


def modality_of(mime_type: Any) -> str:
    """The modality of a MIME type; what is no image, sound or video is a document."""
    kind = mime_type.partition("/")[0] if isinstance(mime_type, str) else ""
    return _MODALITIES.get(kind, "document")


def generic(source: Any, kind: str | None = None) -> Part:
    """A part of a type that the conventions have no schema for: what was given, as JSON, without binary data.

    What only bears the name of a type that they have one for is `unknown`, lest it be read as what it is not.
    """
    value = plain(source)
    if not isinstance(value, dict):
        return {"type": kind or "unknown", "content": value}
    kind = kind or str(value.get("type") or "unknown")
    return {**value, "type": "unknown" if kind in _DEFINED else kind}


def _decoded(data: str) -> bytes:
    try:
        return b64decode(data.translate(_URL_SAFE))
    except ValueError:
        return data.encode("utf-8", "replace")


def _fingerprint(content: bytes) -> dict[str, Any]:
    return {"byte_size": len(content), "sha256": sha256(content).hexdigest()}


def _arguments(arguments: Any) -> Any:
    """Arguments as JSON values if they are whole JSON, else the text that was received."""
    if not isinstance(arguments, str):
        return arguments
    try:
        return json.loads(arguments, parse_int=_whole)
    except (ValueError, RecursionError):
        return arguments


def _whole(digits: str) -> int | str:
    """OTLP carries 64 bits; a longer number stays a text."""
    number = int(digits) if len(digits) <= 20 else _INT64
    return number if -_INT64 <= number < _INT64 else digits


def plain(value: Any, depth: int = _DEPTH, *, inline: bool = False, above: tuple[int, ...] = ()) -> Any:
    """Anything as values that JSON and OTLP have: models by their members, None left out, binary data by its fingerprint.

    Args:
        value: what a caller or an SDK had.
        depth: how deep to go; what is deeper, or holds itself, is named by its type.
        inline: whether texts stay as they are that look like inline data.
        above: the ids of what holds `value`.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return _plain_text(value, inline=inline)
    if isinstance(value, int):
        return int(value) if -_INT64 <= value < _INT64 else _digits(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, (bytes, bytearray)):
        return _fingerprint(bytes(value))
    return _plain_container(value, depth - 1, inline=inline, above=above)


def _plain_container(value: Any, depth: int, *, inline: bool, above: tuple[int, ...]) -> Any:
    if depth < 0 or id(value) in above:
        return f"<{type(value).__name__}>"
    above = (*above, id(value))
    if isinstance(value, (list, tuple)):
        return [plain(entry, depth, inline=inline, above=above) for entry in value]
    held = _members(value)
    if held is None:
        return None if type(value).__name__ in _LEFT_OUT else f"<{type(value).__name__}>"
    return {
        _plain_key(key): told
        for key, entry in _without_bytes(held)
        if (told := plain(entry, depth, inline=inline, above=above)) is not None
    }


def _without_bytes(held: Mapping[Any, Any]) -> Iterable[tuple[Any, Any]]:
    """The members of a JSON object; bytes in base64, as Anthropic's API has them everywhere, by their fingerprint."""
    if held.get("type") != "base64" or not isinstance(held.get("data"), str):
        return held.items()
    return [
        *((key, value) for key, value in held.items() if key != "data"),
        *_fingerprint(_decoded(held["data"])).items(),
    ]


def _plain_key(key: Any) -> str:
    name = key if isinstance(key, str) else str(plain(key)) if isinstance(key, (int, float)) else repr(key)
    return name.encode("utf-8", "replace").decode("utf-8")


def _digits(value: int) -> str:
    try:
        return str(value)
    except ValueError:  # Python converts no more than 4300 digits
        return "<int>"


def _plain_text(value: str, *, inline: bool) -> Any:
    if not inline and value[:5].lower() == "data:" and ";base64," in value[:200]:
        return attached(modality_of(value[5:]), url=value)
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")


def _members(value: Any) -> Mapping[Any, Any] | None:
    """What an object holds, if it is a mapping or a model; sentinels, files and iterators hold nothing of use."""
    if isinstance(value, dict):
        return dict(value)
    if isinstance(value, type) or not any(hasattr(type(value), name) for name in ("model_dump", "__fields__")):
        return None
    extra: Mapping[str, Any] = getattr(value, "__pydantic_extra__", None) or {}
    return {**vars(value), **extra}


def serialised(value: list[Any]) -> tuple[str, list[Any]]:
    """Content as a span carries it and as an event does.

    Args:
        value: a list of messages, parts or tool definitions, made by the functions above.

    Returns:
        The JSON text, and the same as JSON values: valid and in UTF-8 whatever was in `value`.
    """
    try:
        encoded = encode(value)
        if not encoded.isascii():
            encoded.encode()
    except (TypeError, ValueError, RecursionError):  # UnicodeEncodeError is a ValueError
        value = plain(value, _DEPTH + 8, inline=True)
        encoded = encode(value)
    return encoded, value


def first_text(source: Any, *names: str) -> str | None:
    """The first of the members `names` that is a text and not empty."""
    for name in names:
        value = member(source, name)
        if isinstance(value, str) and value:
            return str.__str__(value)
    return None
