"""Message content on its way into telemetry: parts by the JSON schemas of the conventions, and values that JSON can carry.

Binary data does not belong in telemetry: a part records its type, size and SHA-256, and the data itself only if a setting
requests that.
"""

from __future__ import annotations

import json
import math
from base64 import b64encode
from binascii import a2b_base64
from contextvars import ContextVar
from datetime import date
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import unquote_to_bytes

from .._conventions.sdks import SDKS
from .fields import member, string

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

Part: TypeAlias = "dict[str, Any]"

_DEPTH = 20  # OTLP's decoders stop at 100 levels of protobuf, of which an object takes three
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
_MOST_BYTES = 1 << 22  # decoding and hashing more than that would stop an event loop for more than 10 ms
_MOST_CHARACTERS = (_MOST_BYTES + 2) // 3 * 4  # that hold so many bytes in base64

with_bytes: ContextVar[bool] = ContextVar("opentelemetry_instrumentation_genai.with_bytes", default=False)
"""Whether the bytes of what is inline are wanted, while content is made."""


class Dropped(Exception):  # noqa: N818 - nothing is wrong with the call
    """Raised where the content of a call must not be recorded."""


class Blob(dict[str, Any]):
    """A part made of what is inline: its `content` is base64, and no text; empty where the bytes are left out."""


def left_out(value: object) -> bool:
    """Return whether a member of a request is not given: it is null, or a sentinel of the SDKs."""
    return value is None or type(value).__name__ in _LEFT_OUT


def text(content: str, **more: Any) -> Part:
    """Return a text part."""
    return {"type": "text", "content": content if type(content) is str else _as_text(content), **more}


def reasoning(content: str, **more: Any) -> Part:
    """Return a reasoning part; `content` is empty if the provider does not disclose it."""
    return {"type": "reasoning", "content": content if type(content) is str else _as_text(content), **more}


def _as_text(content: object) -> str:
    """Return a text of a subclass of `str` as a plain `str`, and any other value as its JSON."""
    return str.__str__(content) if isinstance(content, str) else encode(plain(content))


def unreadable(part: Part) -> bool:
    """Return whether a part is reasoning that only the provider can read, without any further member."""
    return part["type"] == "reasoning" and not part["content"] and not part.keys() - {"type", "content", "id"}


def tool_call(identity: object, name: object, arguments: object) -> Part:
    """Return a call of a tool that the application runs. Arguments in JSON are parsed."""
    return free_tool_call(identity, name, _arguments(arguments))


def free_tool_call(identity: object, name: object, given: object) -> Part:
    """Return a call of a tool with input that is not JSON: a text is kept unchanged."""
    return {"type": "tool_call", "id": _identity(identity), "name": named(name), "arguments": plain(given)}


def tool_call_response(identity: object, response: object) -> Part:
    """Return the application's response to a tool call."""
    return {"type": "tool_call_response", "id": _identity(identity), "response": plain(response)}


def tool_call_answer(identity: object, answer: Part | list[Part]) -> Part:
    """Return the application's response to a tool call, if it consists of parts."""
    return {"type": "tool_call_response", "id": _identity(identity), "response": answer}


def server_tool_call(identity: object, name: str, call: dict[str, Any]) -> Part:
    """Return a call of a tool that the provider runs."""
    return {"type": "server_tool_call", "id": _identity(identity), "name": named(name), "server_tool_call": call}


def server_tool_call_response(identity: object, response: dict[str, Any]) -> Part:
    """Return the response of a tool that the provider runs."""
    return {"type": "server_tool_call_response", "id": _identity(identity), "server_tool_call_response": response}


def named(name: object, default: str = "") -> str:
    """Return a name, a role or another word, whatever was given as one: `default` where there is none, at most 1 KiB of it."""
    return string(name) or string(str(plain(name) or "")) or default


def _identity(identity: object) -> str | None:
    return string(identity) if identity is None or isinstance(identity, str) else string(str(plain(identity)))


def attached(
    modality: str, *, url: object = None, data: object = None, file_id: object = None, mime_type: object = None
) -> Part:
    """Return the part of an image, a sound or a document.

    By reference it is a `uri` or `file` part, inline a `blob` part, by default without its bytes.

    Args:
        modality: image, audio, video or document.
        url: where it is, or a `data:` URL that holds it.
        data: its bytes, or a text that has them in base64.
        file_id: the provider's id of an uploaded file.
        mime_type: its MIME type, if known.
    """
    if isinstance(url, str) and url[:5].lower() == "data:":
        comma = url.find(",")
        head = url[5:] if comma < 0 else url[5:comma]
        mime_type = string(mime_type) or string(head.partition(";")[0])
        decode = _decoded if head.endswith(";base64") else unquote_to_bytes
        return _blob(modality, mime_type, url, decode, start=len(url) if comma < 0 else comma + 1)
    if isinstance(data, str):
        return _blob(modality, mime_type, data, _decoded)
    if isinstance(data, (bytes, bytearray)):
        content = b64encode(data).decode() if with_bytes.get() and len(data) <= _MOST_BYTES else ""
        return Blob(type="blob", modality=modality, mime_type=mime_type, **_fingerprint(data), content=content)
    if isinstance(url, str):
        return {"type": "uri", "modality": modality, "mime_type": mime_type, "uri": url}
    return {"type": "file", "modality": modality, "mime_type": mime_type, "file_id": named(file_id)}


def unread(modality: str, mime_type: object) -> Part:
    """Return the blob part of a file that only the SDK reads, when it sends the request."""
    return Blob(type="blob", modality=modality, mime_type=mime_type, content="")


def _blob(modality: str, mime_type: object, data: str, decode: Callable[[str], bytes], start: int = 0) -> Part:
    """Return a blob part. Both generations' schemas want `content`, which is empty where the bytes are left out."""
    part = Blob(type="blob", modality=modality, mime_type=mime_type)
    if not with_bytes.get() or len(data) > _MOST_CHARACTERS:
        return Blob(part, **_fingerprint_of(data, decode, start), content="")
    content = decode(data[start:])
    return Blob(part, **_fingerprint(content), content=b64encode(content).decode())


def modality_of(mime_type: object) -> str:
    """Return the modality of a MIME type; what is no image, sound or video is a document."""
    kind = mime_type.partition("/")[0] if isinstance(mime_type, str) else ""
    return _MODALITIES.get(kind, "document")


def generic(source: Any, kind: str | None = None) -> Part:
    """Return a part of a type that the conventions have no schema for: the given value, as JSON, without binary data.

    Members that are null are omitted, but not nested ones: these may be data of the application. A part that has the type name
    of a schema, without being made to that schema, gets the type `unknown`, so that no reader takes it for one.
    """
    value = plain(source)
    if not isinstance(value, dict):
        return {"type": kind or "unknown", "content": value}
    kind = kind or named(value.get("type"), "unknown")
    members = {name: entry for name, entry in value.items() if entry is not None}
    return {**members, "type": "unknown" if kind in _DEFINED else kind}


def _decoded(data: str) -> bytes:
    if "-" in data or "_" in data:
        data = data.translate(_URL_SAFE)
    try:
        return a2b_base64(data)
    except ValueError:
        return data.encode("utf-8", "replace")


def _fingerprint_of(data: str, decode: Callable[[str], bytes] = _decoded, start: int = 0) -> dict[str, Any]:
    """Return the fingerprint of the bytes a text encodes from `start` on; of a very long one only the size, by its length."""
    if len(data) <= _MOST_CHARACTERS:
        return _fingerprint(decode(data[start:]))
    if decode is not _decoded:
        return {"byte_size": len(data) - start - 2 * data.count("%", start)}
    end = len(data) - 16 + len(data[-16:].rstrip("=\r\n "))
    broken = any(map(data[start : start + 256].count, "\r\n "))  # in lines, as e-mail has it
    breaks = sum(data.count(space, start, end) for space in "\r\n ") if broken else 0
    return {"byte_size": (end - start - breaks) * 3 // 4}


def _fingerprint(content: bytes | bytearray) -> dict[str, Any]:
    if len(content) > _MOST_BYTES:
        return {"byte_size": len(content)}
    return {"byte_size": len(content), "sha256": sha256(content).hexdigest()}


def _arguments(arguments: Any) -> Any:
    """Return arguments as JSON values if they are complete JSON, else the text that was received."""
    if not isinstance(arguments, str):
        return arguments
    try:
        return json.loads(arguments, parse_int=_whole, parse_float=_real)
    except (ValueError, RecursionError):
        return arguments


def _whole(digits: str) -> int | str:
    """Return a whole number of at most 64 bits, which OTLP can carry; a larger one as a text."""
    number = int(digits) if len(digits) <= 20 else _INT64
    return number if -_INT64 <= number < _INT64 else digits


def _real(digits: str) -> float | str:
    """Return a number as a double; one that is too large for a double as a text."""
    number = float(digits)
    return number if math.isfinite(number) else digits


def plain(value: Any, depth: int = _DEPTH, *, inline: bool = False, above: tuple[int, ...] = ()) -> Any:
    """Return any value as values that JSON and OTLP have: models by their members, binary data by its fingerprint.

    A null of the application or of the model stays one; members of an SDK's model that were not set are omitted. Only methods of Python's
    own types are called, and a value that raises nevertheless is replaced by the name of its type.

    Args:
        value: what a caller or an SDK had.
        depth: how deep to go; what is deeper, or holds itself, is named by its type.
        inline: whether texts stay as they are that look like inline data.
        above: the ids of what holds `value`.
    """
    kind = type(value)
    if value is None or kind is bool:
        return value
    if issubclass(kind, str):
        return _plain_text(value if kind is str else str.__str__(value), inline=inline)
    if issubclass(kind, int):
        number = int.__int__(value)
        return number if -_INT64 <= number < _INT64 else _digits(number)
    if issubclass(kind, float):
        return _plain_float(float.__float__(value))
    if issubclass(kind, (bytes, bytearray)):
        return _fingerprint(bytes(value))
    return _plain_container(value, depth - 1, inline=inline, above=above)


def _plain_float(value: float) -> float | str:
    """Return a double; NaN and the infinities, which JSON does not have, by their names in protobuf's JSON."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _plain_container(value: Any, depth: int, *, inline: bool, above: tuple[int, ...]) -> Any:
    kind = type(value)
    if depth < 0 or id(value) in above:
        return f"<{kind.__name__}>"
    above = (*above, id(value))
    try:
        if issubclass(kind, (list, tuple)):
            return [plain(entry, depth, inline=inline, above=above) for entry in value]
        if issubclass(kind, date):  # which newer SDKs send, and a `datetime` is one
            return value.isoformat()
        held = _members(value)
    except Exception:  # noqa: BLE001 - the caller's own object raised; the SDK raises that to the caller
        held = None
    if held is None:
        return None if kind.__name__ in _LEFT_OUT else f"<{kind.__name__}>"
    return {_plain_key(key): plain(entry, depth, inline=inline, above=above) for key, entry in held.items()}


def _members(value: Any) -> Mapping[Any, Any] | None:
    """Return what an object holds, if it is a mapping or a model, without bytes in base64."""
    held = _held(value)
    return held if held is None else _without_bytes(held)


def _held(value: Any) -> dict[Any, Any] | None:
    """Return what an object holds, if it is a mapping or a model; sentinels, files and iterators hold nothing of use."""
    kind = type(value)
    if issubclass(kind, dict):
        return {key: entry for key, entry in dict(value).items() if type(entry).__name__ not in _LEFT_OUT}
    if issubclass(kind, type) or not any(hasattr(kind, name) for name in ("model_dump", "__fields__")):
        return None
    given = _given_members(value) if kind.__module__.partition(".")[0] not in SDKS else ()
    extra: Mapping[str, Any] = getattr(value, "__pydantic_extra__", None) or {}
    held = {**vars(value), **extra}
    return {key: entry for key, entry in held.items() if key in given or not left_out(entry)}


def _given_members(value: object) -> Collection[str]:
    """Return the members of an application's model that were given: a null among them is its own, and is sent."""
    given: Collection[str] = getattr(value, "__pydantic_fields_set__", None) or ()
    return given


def _without_bytes(held: dict[Any, Any]) -> dict[Any, Any]:
    """Return the members of a JSON object; bytes in base64, as Anthropic's API has them everywhere, by their fingerprint."""
    if held.get("type") != "base64" or not isinstance(held.get("data"), str):
        return held
    return {**{key: value for key, value in held.items() if key != "data"}, **_fingerprint_of(held["data"])}


class _Harmless:
    """Makes a copy of JSON values without what could raise when it is looked at.

    Attributes:
        changed: whether there was anything of the kind.
    """

    changed = False

    def copy(self, value: Any, depth: int = _DEPTH) -> Any:
        """Return a copy; what is neither JSON nor a model is an object that does nothing, of a type of the same name."""
        kind = type(value)
        if value is None or kind in _PLAIN_TYPES:
            return value
        if kind is not dict and kind is not list:
            self.changed = True
        if issubclass(kind, (str, int, float)):
            return plain(value, inline=True)
        try:
            if depth and issubclass(kind, (list, tuple)):
                return [self.copy(entry, depth - 1) for entry in value]
            held = _held(value) if depth else None
        except Exception:  # noqa: BLE001 - the caller's own object raised; the SDK raises that to the caller
            held = None
        if held is None:
            self.changed = True
            return type(kind.__name__, (), {})()
        return {_plain_key(key): self.copy(entry, depth - 1) for key, entry in held.items()}


def harmless(value: Any) -> tuple[Any, bool]:
    """Return a copy of what a caller gave that raises nowhere when it is read, and whether anything had to be changed for that."""
    made = _Harmless()
    return made.copy(value), made.changed


_PLAIN_TYPES = frozenset({bool, bytes, float, int, str})
_KEYS = {True: "true", False: "false", None: "null"}


def _plain_key(key: Any) -> str:
    """Return the key of a JSON object as the SDKs send it."""
    if key is None or type(key) is bool:
        return _KEYS[key]
    if issubclass(type(key), str):
        return str.__str__(key).encode("utf-8", "replace").decode("utf-8")
    return str(plain(key)) if issubclass(type(key), (int, float)) else f"<{type(key).__name__}>"


def _digits(value: int) -> str:
    try:
        return str(value)
    except ValueError:  # Python converts no more than 4300 digits
        return "<int>"


def _plain_text(value: str, *, inline: bool) -> Any:
    if not inline and value[:5].lower() == "data:" and ";base64," in value[:200]:
        return attached(modality_of(value[5:]), url=value)
    return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")


def serialised(value: Any) -> tuple[str, Any]:
    """Return content as a span carries it and as an event does.

    Args:
        value: a list of messages, parts or tool definitions, made by the functions above; or any other JSON value.

    Returns:
        The JSON text, or the text itself if it is one, and the same as JSON values: valid and in UTF-8 whatever was in `value`.
    """
    if isinstance(value, str):  # what is a text is recorded as that
        written = str(_plain_text(value, inline=True))
        return written, written
    try:
        encoded = encode(value)
        if not encoded.isascii():
            encoded.encode()
    except (TypeError, ValueError, RecursionError):  # UnicodeEncodeError is a ValueError
        value = plain(value, _DEPTH + 8, inline=True)
        encoded = encode(value)
    return encoded, value


def first_text(source: Any, *names: str) -> str | None:
    """Return the first of the members `names` that is a text and not empty."""
    for name in names:
        value = member(source, name)
        if isinstance(value, str) and value:
            return str.__str__(value)
    return None
