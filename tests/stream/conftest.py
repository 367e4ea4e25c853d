"""What the tests of streams share: each reading is made twice, and nothing of OpenTelemetry says a word meanwhile."""

from __future__ import annotations

import gc
import logging
from collections.abc import Iterator

import pytest

from endings import CHAT, Api, Twice
from loopback import ModelServer, Telemetry


@pytest.fixture
def api() -> Api:
    """The endpoint, of a test that is not about several."""
    return CHAT


@pytest.fixture
def twice(server: ModelServer, telemetry: Telemetry, api: Api, request: pytest.FixtureRequest) -> Twice:
    """Reads without and with the instrumentation; content goes to the spans, so that what was received shows.

    However a stream ends, no call may stay active. What is compared whole has the metrics that everybody gets.
    """
    metrics = "standard" if request.node.name.startswith("test_all_that_is_recorded") else "extended"
    return Twice(server, telemetry, {"capture_message_content": "span_only", "metrics": metrics}, api.sdk)


@pytest.fixture(autouse=True)
def collections_on_request() -> Iterator[None]:
    """The collector runs where a test says so, and looks only at what came since the test began.

    Anywhere else it could find a half-read stream while its thread holds the lock of the connection pool, which closing
    the stream wants: with and without the instrumentation, the HTTP client never comes back from that.
    """
    gc.collect()
    gc.freeze()
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(autouse=True)
def nothing_is_logged(caplog: pytest.LogCaptureFixture, without_start_line: None) -> Iterator[None]:
    """No line of OpenTelemetry or of ours, "Failed to detach context" the first of them."""
    caplog.set_level(logging.INFO, "opentelemetry")
    caplog.set_level(logging.INFO, "opentelemetry_instrumentation_genai")
    yield
    for phase in ("setup", "call"):
        logged = [record for record in caplog.get_records(phase) if record.name.startswith("opentelemetry")]
        assert [] == [(record.name, record.getMessage()) for record in logged]
