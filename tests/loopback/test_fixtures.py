"""The fixtures of every test leave nothing behind and let nothing in."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Collection
from typing import Any

import openai
import pytest
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from loopback import Json, ModelServer, Serving, uninstrument_all


class Instrumentor(BaseInstrumentor):  # type: ignore[misc]
    """One that patches nothing."""

    def instrumentation_dependencies(self) -> Collection[str]:
        """Nothing is needed."""
        return ()

    def _instrument(self, **kwargs: Any) -> None:
        """Nothing is patched."""

    def _uninstrument(self, **kwargs: Any) -> None:
        """Nothing was patched."""


@pytest.fixture(scope="module", autouse=True)
def settings_from_outside() -> Any:
    """What a developer may have in the environment."""
    with pytest.MonkeyPatch.context() as patching:
        for name in ("OTEL_SDK_DISABLED", "OPENAI_BASE_URL", "https_proxy", "ALL_PROXY"):
            patching.setenv(name, "true")
        yield


def test_no_setting_from_outside_reaches_a_test() -> None:
    """Neither OpenTelemetry's, nor an SDK's, nor a proxy."""
    assert set() == {"OTEL_SDK_DISABLED", "OPENAI_BASE_URL", "https_proxy", "ALL_PROXY"} & os.environ.keys()


def test_internal_errors_are_raised() -> None:
    """The guard is strict while a test runs."""
    assert importlib.import_module("opentelemetry_instrumentation_genai._runtime.guard").strict


def test_whatever_is_instrumented_can_be_uninstrumented() -> None:
    """Once, and again without effect; an instrumentor that was never made is not made for it."""
    instrumentor = Instrumentor()
    instrumentor.instrument()

    uninstrument_all()
    uninstrument_all()

    assert not instrumentor.is_instrumented_by_opentelemetry


def test_a_client_of_another_class_can_be_made(server: ModelServer, openai_client: Callable[..., Any]) -> None:
    """Settings given replace the defaults, None included."""
    server.reply(Json({}))
    client = openai_client(openai.AzureOpenAI, base_url=None, azure_endpoint=server.url, api_version="2024-10-21")

    client.chat.completions.create(model="deployed", messages=[])

    assert "/openai/deployments/deployed/chat/completions?api-version=2024-10-21" == server.requests[0].path


def test_a_failure_of_a_server_is_raised_once() -> None:
    """A client sees status 500; the test sees why."""

    async def failing(*_: Any) -> None:
        raise LookupError("planted")

    serving = Serving(failing)
    with openai.OpenAI(base_url=serving.url, api_key="none", max_retries=0) as client:
        with pytest.raises(openai.InternalServerError):
            client.get("/", cast_to=str)

    with pytest.raises(LookupError, match="planted"):
        serving.raise_failure()
    serving.raise_failure()
    serving.close()
