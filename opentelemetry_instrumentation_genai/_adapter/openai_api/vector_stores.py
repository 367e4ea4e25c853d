"""Search of a vector store: `POST /vector_stores/{id}/search`, by OpenAI's API reference."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._conventions import names, operation_kinds
from ..endpoint import Content, Endpoint
from ..fields import count, field, items, member, number, string, table
from ..parts import Part, first_text, plain, text
from .common import failure

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def _query(body: Mapping[str, Any]) -> Content:
    query = member(body, "query")
    queries = query if isinstance(query, (list, tuple)) else [query]
    texts = [plain(entry, inline=True) for entry in queries if isinstance(entry, str)]
    return {names.RETRIEVAL_QUERY_TEXT: "\n".join(texts)} if texts else {}


def _documents(response: Any, _reasons: Sequence[str]) -> Content:
    if not isinstance(member(response, "data"), (list, tuple)):
        return {}
    return {names.RETRIEVAL_DOCUMENTS: [_document(entry) for entry in items(response, "data")]}


def _document(entry: Any) -> Part:
    """Return a document as a text part, with its id and score as the conventions' schema names them."""
    described = {
        "id": string(member(entry, "file_id")),
        "score": number(member(entry, "score")),
        "filename": string(member(entry, "filename")),
        "attributes": plain(member(entry, "attributes")) or None,
    }
    texts = [first_text(piece, "text") or "" for piece in items(entry, "content")]
    return text("\n".join(texts), **{name: value for name, value in described.items() if value is not None})


VECTOR_STORE_SEARCH = Endpoint(
    kind=operation_kinds.RETRIEVAL,
    request=table(
        field(names.DATA_SOURCE_ID, string, "id"),
        field(names.RETRIEVAL_TOP_K, count, "max_num_results"),
    ),
    response=table(),
    input_content=_query,
    output_content=_documents,
    failure=failure,
    for_messages=frozenset({"data"}),
)
