"""Endpoints with an id in their path: in whichever segment it stands, and with the body that goes with it."""

from __future__ import annotations

from typing import Any

import pytest

from loopback import Json, ModelServer, Telemetry
from opentelemetry_instrumentation_genai import OpenAIInstrumentor
from opentelemetry_instrumentation_genai._adapter.endpoint import Endpoint
from opentelemetry_instrumentation_genai._adapter.fields import field, integer, string, table
from opentelemetry_instrumentation_genai._adapter.openai_api import endpoints
from opentelemetry_instrumentation_genai._conventions import names
from opentelemetry_instrumentation_genai._conventions.operation_kinds import OperationKind

SEARCH = Endpoint(
    kind=OperationKind("retrieval", metrics="others", has_details=False),
    input="parameters",
    request=table(
        field("gen_ai.data_source.id", string, "id"),
        field(names.REQUEST_TOP_K, integer, "max_num_results"),
        field("gen_ai.tag.order", string, "order"),
    ),
    response=table(),
)
# Path of a route, path of a request, the id that is read.
PATHS = [
    ("/vector_stores/{id}/search", "/vector_stores/vs_1/search", "vs_1"),
    ("/organization/stores/{id}", "/organization/stores/vs_2", "vs_2"),
    ("/organization/stores/{id}/search/all", "/organization/stores/vs_3/search/all?after=1", "vs_3"),
    ("/{id}/search", "/vs_4/search", "vs_4"),
    # Whole URLs: below the base URL, which ends with `/v1`, and elsewhere.
    ("/vector_stores/{id}/search", "{url}/v1/vector_stores/vs_5/search?order=asc", "vs_5"),
    ("/files/{id}", "{url}/files/vs_6", "vs_6"),
]


@pytest.fixture
def post(monkeypatch: pytest.MonkeyPatch, server: ModelServer, telemetry: Telemetry, openai_client: Any) -> Any:
    """Makes a request by hand, of an SDK that is instrumented with one route more."""

    def make(route: str, path: str, **options: Any) -> Any:
        monkeypatch.setitem(endpoints.ENDPOINTS, ("post", route), SEARCH)
        OpenAIInstrumentor().instrument(**telemetry.providers)
        server.reply(Json({}))
        openai_client().post(path.format(url=server.url), cast_to=object, **options)
        return telemetry

    return make


@pytest.mark.parametrize(("route", "path", "identity"), PATHS)
def test_an_id_matches_in_any_segment(post: Any, route: str, path: str, identity: str):
    """The route has `{id}` where the request has an id."""
    telemetry = post(route, path, body={"query": "tea"})

    assert identity == telemetry.span.attributes["gen_ai.data_source.id"]


def test_an_id_in_the_path_does_not_discard_the_body(post: Any):
    """Parameters, the JSON body and what the caller adds to it are read together; the body wins."""
    telemetry = post(
        "/vector_stores/{id}/search",
        "/vector_stores/vs_1/search",
        body={"query": "tea", "max_num_results": 3},
        options={"params": {"order": "asc", "max_num_results": 5}, "extra_json": {"id": "other"}},
    )

    assert {
        "gen_ai.data_source.id": "vs_1",
        "gen_ai.request.top_k": 3,
        "gen_ai.tag.order": "asc",
    }.items() <= telemetry.span.attributes.items()


@pytest.mark.parametrize("path", ["/vector_stores/vs_1", "/vector_stores/vs_1/search/more", "/stores/vs_1/search"])
def test_another_path_is_another_endpoint(post: Any, path: str):
    """Of another length, or with another word in the place of one of the route."""
    telemetry = post("/vector_stores/{id}/search", path, body={"query": "tea"})

    assert [] == telemetry.spans
