"""Convert the content blocks of the Converse API to parts. A block is an object with one member, which names its type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._adapter.fields import items, member, members, string
from ..._adapter.parts import (
    Part,
    attached,
    generic,
    named,
    plain,
    reasoning,
    server_tool_call,
    server_tool_call_response,
    text,
    tool_call,
    tool_call_answer,
    tool_call_response,
    unread,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_SERVER_TOOL = "server_tool_use"
_SKIPPED = frozenset({"cachePoint"})  # marks of where a cache ends: no content
_LEVELS = 3  # how deep blocks may be nested: the API allows two levels
_WORD = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_MIME_TYPES = {
    "csv": "text/csv",
    "doc": "application/msword",
    "docx": _WORD,
    "html": "text/html",
    "md": "text/markdown",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "xls": "application/vnd.ms-excel",
    "xlsx": _SHEET,
    "three_gp": "video/3gpp",
}


def parts_of(content: Any, levels: int = _LEVELS) -> list[Part]:
    """Convert the content of a message, a list of blocks, to parts. Deeper blocks than `levels` become generic parts."""
    blocks = content if isinstance(content, (list, tuple)) else ()
    return [part for block in blocks for part in _parts(block, levels)]


def tool_definitions(tools: Any) -> list[dict[str, Any]]:
    """Convert the tools of a request to definitions by the conventions' schema: the caller's are functions."""
    return [definition for tool in tools for definition in _definition(tool)]


def _parts(block: Any, levels: int) -> Iterator[Part]:
    held = members(block)
    kind = next((name for name in held if name in _READERS or name in _NESTING), None)
    if kind is not None and kind in _NESTING and levels > 0:
        yield _NESTING[kind](held[kind], levels - 1)
    elif kind is not None and kind in _READERS:
        yield _READERS[kind](held[kind])
    elif not _SKIPPED.intersection(held):
        yield _other(block)


def _other(block: Any) -> Part:
    """Return a block of an unknown type as it is, by the name of its one member."""
    held = members(block)
    kind = string(next(iter(held), None)) if len(held) == 1 else None
    return generic(block) if kind is None else generic(held[kind], kind)


def _text(content: Any) -> Part:
    return text(content if isinstance(content, str) else str(plain(content)))


def _media(modality: str) -> Callable[[Any, int], Part]:
    """Return what converts an image, a document, a video or a sound, by its source: bytes, an object in S3, a text, or blocks."""

    def read(media: Any, levels: int) -> Part:
        source, kind = member(media, "source"), string(member(media, "format"))
        mime_type = None if kind is None else _MIME_TYPES.get(kind, f"{modality}/{kind}")
        names = (("name", "title"), ("context", "context"))
        about = {name: plain(value) for given, name in names if (value := member(media, given)) is not None}
        inner = members(source)
        if "text" in inner:
            return {"type": modality, "content": plain(inner["text"]), "mime_type": mime_type, **about}
        if "content" in inner:
            return {"type": modality, "content": parts_of(inner["content"], levels), **about}
        return {**_file(modality, inner, mime_type), **about}

    return read


def _file(modality: str, source: Any, mime_type: str | None) -> Part:
    data, uri = source.get("bytes"), member(source.get("s3Location"), "uri")
    if data is None and uri is None:  # it could not be generated, or a part of the stream is missing
        return generic(source, modality)
    if data is None or isinstance(data, (bytes, bytearray, str)):
        return attached(modality, url=uri, data=data, mime_type=mime_type)
    return unread(modality, mime_type)  # a file, which the SDK reads only on sending


def _reasoning(block: Any) -> Part:
    thought = member(member(block, "reasoningText"), "text")
    if isinstance(thought, str):
        return reasoning(thought)
    return reasoning("", redacted=True)  # encrypted


def _tool_use(block: Any) -> Part:
    identity, name, given = (member(block, key) for key in ("toolUseId", "name", "input"))
    call = tool_call(identity, name, given)
    if member(block, "type") != _SERVER_TOOL:
        return call
    name = named(name)
    return server_tool_call(identity, name, {"type": name, "input": call["arguments"]})


def _tool_result(block: Any, levels: int) -> Part:
    identity, kind = member(block, "toolUseId"), string(member(block, "type"))
    content = items(block, "content")
    failed = {"is_error": True} if member(block, "status") == "error" else {}
    if kind is not None:
        details = {"type": kind, "content": parts_of(content, levels), **failed}
        return server_tool_call_response(identity, details)
    only = members(content[0]) if len(content) == 1 else {}
    for name in ("text", "json"):
        if name in only:
            return {**tool_call_response(identity, only[name]), **failed}
    return {**tool_call_answer(identity, parts_of(content, levels)), **failed}


def _guarded(block: Any, levels: int) -> Part:
    """Convert what a guardrail is to look at: a text or an image."""
    content = member(block, "text")
    if content is None:
        return next(iter(parts_of([block], levels)), generic(block))
    qualifiers = plain(member(content, "qualifiers"))
    part = _text(member(content, "text"))
    return {**part, "qualifiers": qualifiers} if qualifiers else part


def _cited(block: Any) -> Part:
    pieces = [member(entry, "text") for entry in items(block, "content")]
    citations = [plain(citation) for citation in items(block, "citations")]
    written = "".join(piece for piece in pieces if isinstance(piece, str))
    return text(written, citations=citations) if citations else text(written)


def _search_result(block: Any) -> Part:
    texts = [plain(member(entry, "text")) for entry in items(block, "content")]
    return generic({**members(block), "content": texts}, "search_result")


def _json(value: Any) -> Part:
    return {"type": "json", "content": plain(value)}


_READERS: dict[str, Callable[[Any], Part]] = {
    "text": _text,
    "json": _json,
    "toolUse": _tool_use,
    "reasoningContent": _reasoning,
    "citationsContent": _cited,
    "searchResult": _search_result,
}
_NESTING: dict[str, Callable[[Any, int], Part]] = {
    "image": _media("image"),
    "document": _media("document"),
    "video": _media("video"),
    "audio": _media("audio"),
    "toolResult": _tool_result,
    "guardContent": _guarded,
}


def _definition(tool: Any) -> Iterator[dict[str, Any]]:
    held = members(tool)
    if "toolSpec" in held:
        spec = generic(held["toolSpec"], "function")
        schema = spec.pop("inputSchema", None)
        parameters = {} if schema is None else {"parameters": member(schema, "json")}
        yield {**spec, **parameters, "name": named(spec.get("name"), "function")}
    elif "systemTool" in held:
        yield {"type": "system_tool", "name": named(member(held["systemTool"], "name"), "system_tool")}
    elif not _SKIPPED.intersection(held):
        part = _other(tool)
        yield {**part, "name": named(part.get("name"), part["type"])}
