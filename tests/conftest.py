"""Fixtures for every test: servers on loopback, telemetry in memory, and an environment that is clean before and after.

Nothing here imports an SDK before a test asks for a client.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, ExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import certifi
import pytest

from contract.drive import LOOP
from loopback import ModelServer, OtlpReceiver, Telemetry, uninstrument_all
from loopback.websockets import WebsocketServer

if TYPE_CHECKING:
    from openai import AsyncOpenAI, OpenAI

# Their assertions tell what differs.
pytest.register_assert_rewrite("endings", "ollama_endings")

# Real servers, which are asked only if somebody asks for them: `make integration`; and what has an environment of its own.
OWN_ENVIRONMENTS = {"deploy": "grafana_foundation_sdk", "frameworks": "langchain_core", "sdks": "letta_client"}
collect_ignore = ["integration", *(folder for folder, module in OWN_ENVIRONMENTS.items() if not find_spec(module))]
API_KEY = "sk-test-not-a-key"
# Settings of OpenTelemetry and of the SDKs, and proxies, which would stand between a client and 127.0.0.1.
SETTINGS = ("OTEL_", "OPENAI_", "AZURE_OPENAI_", "ANTHROPIC_", "OLLAMA_")


def pytest_configure() -> None:
    """Processes that a test starts can be interrupted, also if these tests run as a shell's background job, which ignores SIGINT."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--share=1/4` runs one of four parts of the cases of each test, at least one; environments share the work by it."""
    parser.addoption(
        "--share", type=_share, default=(0, 1), help="K/N: run the K-th of N parts of the cases of each test"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the cases that are not in the share."""
    part, parts = config.getoption("share")
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    chosen = {item for several in cases.values() for item in several[part % min(parts, len(several)) :: parts]}
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = [item for item in items if item in chosen]


def _share(text: str) -> tuple[int, int]:
    part, _, parts = text.partition("/")
    if not 0 < int(part) <= int(parts):
        raise ValueError(text)
    return int(part) - 1, int(parts)


@pytest.fixture(autouse=True, scope="session")
def one_certificate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Clients load one certificate: no connection here is encrypted, and to load all takes longer than most tests."""
    first, end, _ = Path(certifi.where()).read_text(encoding="utf-8").partition("-----END CERTIFICATE-----\n")
    file = tmp_path_factory.mktemp("certificates") / "one.pem"
    file.write_text(first + end, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("SSL_CERT_FILE", str(file))
        yield


@pytest.fixture(autouse=True, scope="session")
def looked_at_again() -> Iterator[None]:
    """What was set aside for the collector of garbage is looked at again after the last test."""
    yield
    gc.unfreeze()


@pytest.fixture
def without_start_line(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Log records are captured without the line at INFO that an SDK is instrumented."""

    def is_other(record: logging.LogRecord) -> bool:
        return " is instrumented; " not in record.getMessage()

    caplog.handler.addFilter(is_other)
    yield
    caplog.handler.removeFilter(is_other)


@pytest.fixture(autouse=True, scope="module")
def small_collections(looked_at_again: None) -> None:
    """A collection looks at what came since the module began: the session holds millions of objects, and tests collect often."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def no_collection_within_a_call() -> Iterator[None]:
    """The collector runs between tests, and where a test says so.

    Within a request it could find a half-read stream while the thread holds the lock of the connection pool, which closing the
    stream wants: with and without the instrumentation, the HTTP client never comes back from that.
    """
    gc.disable()
    yield
    gc.enable()


@pytest.fixture(scope="session")
def model_server() -> Iterator[ModelServer]:
    """The one model server of the session; tests take `server`."""
    server = ModelServer()
    yield server
    LOOP.close()  # the clients that have connections in it are closed
    server.close()


@pytest.fixture(scope="session")
def otlp_receiver() -> Iterator[OtlpReceiver]:
    """The one OTLP receiver of the session, started by the first test that takes `receiver`."""
    receiver = OtlpReceiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="session")
def one_websocket_server() -> Iterator[WebsocketServer]:
    """The one server of websockets of the session, started by the first test that takes `websockets`."""
    server = WebsocketServer()
    yield server
    server.close()


@pytest.fixture
def websockets(one_websocket_server: WebsocketServer) -> Iterator[WebsocketServer]:
    """A server of websockets, which a test scripts."""
    yield one_websocket_server
    one_websocket_server.raise_failure()


@pytest.fixture
def server(model_server: ModelServer) -> Iterator[ModelServer]:
    """A model server with no reply and no request yet; whatever stalls goes on after the test."""
    model_server.reset()
    yield model_server
    model_server.reset()
    model_server.raise_failure()


@pytest.fixture
def receiver(otlp_receiver: OtlpReceiver) -> Iterator[OtlpReceiver]:
    """An OTLP receiver that has received nothing yet."""
    otlp_receiver.reset()
    yield otlp_receiver
    otlp_receiver.raise_failure()


@pytest.fixture
def telemetry() -> Iterator[Telemetry]:
    """Providers that keep in memory what is recorded through them."""
    recorded = Telemetry()
    yield recorded
    # Before the providers are shut down, or what ends with the instrumentation would be logged as recorded too late.
    uninstrument_all()
    recorded.shutdown()


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting from outside reaches a test."""
    for name in list(os.environ):
        if name.startswith(SETTINGS) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def strict_guard(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error inside the instrumentation fails the test instead of being logged and dropped."""
    monkeypatch.setattr("opentelemetry_instrumentation_genai._runtime.guard.strict", True)


@pytest.fixture(autouse=True)
def nothing_stays_instrumented() -> Iterator[None]:
    """No test sees the instrumentation of another."""
    yield
    uninstrument_all()


@pytest.fixture
def openai_client(server: ModelServer) -> Iterator[Callable[..., OpenAI]]:
    """Makes clients of the model server, without retries unless asked for; they are closed after the test."""
    from openai import OpenAI

    with ExitStack() as opened:

        def make(client: type[OpenAI] = OpenAI, **settings: Any) -> OpenAI:
            """A client with these settings over the defaults."""
            return opened.enter_context(client(**(_defaults(server) | settings)))

        yield make


@pytest.fixture
async def async_openai_client(server: ModelServer) -> AsyncIterator[Callable[..., AsyncOpenAI]]:
    """The same for asynchronous clients, in the event loop of the test."""
    from openai import AsyncOpenAI

    async with AsyncExitStack() as opened:

        def make(client: type[AsyncOpenAI] = AsyncOpenAI, **settings: Any) -> AsyncOpenAI:
            """A client with these settings over the defaults."""
            made = client(**(_defaults(server) | settings))
            opened.push_async_callback(made.close)
            return made

        yield make


def _defaults(server: ModelServer) -> dict[str, Any]:
    """Where the clients of every test go."""
    return {"base_url": f"{server.url}/v1", "api_key": API_KEY, "max_retries": 0}
