"""Embeddings."""

from __future__ import annotations

from dataclasses import replace

from openai.types import CreateEmbeddingResponse

from contract.openai_chat import HEADERS
from contract.row import Row, given
from loopback import Json

_MODEL = "text-embedding-3-small"
_BASE = {"gen_ai.operation.name": "embeddings", "gen_ai.request.model": _MODEL}


def embedded(embedding: list[float]) -> Json:
    """An embedding as the server sends it."""
    data = [{"object": "embedding", "index": 0, "embedding": embedding}]
    usage = {"prompt_tokens": 3, "total_tokens": 3}
    return Json({"object": "list", "model": _MODEL, "data": data, "usage": usage}, headers=HEADERS)


_FULL = Row(
    "embeddings",
    "embeddings.create",
    given(model=_MODEL, input=["one", "two"], dimensions=2, encoding_format="float"),
    f"embeddings {_MODEL}",
    {**_BASE, "gen_ai.request.encoding_formats": ["float"], "gen_ai.embeddings.dimension.count": 2},
    plain=embedded([0.5, -1.0]),
    response={"gen_ai.response.model": _MODEL, "gen_ai.usage.input_tokens": 3},
    details=False,
)
_BY_HAND = replace(
    _FULL,
    id="embeddings-posted",
    method="post",
    arguments=given(path="/embeddings", body={"model": _MODEL, "input": "one"}, cast_to=CreateEmbeddingResponse),
    request=_BASE,
    style="by hand",
)

OTHER_ROWS = (_FULL, _BY_HAND)
