"""The servers of the integration suite: each is started by the first test that asks for it, and ends with the session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from loopback import OtlpReceiver
from served import Served, of_llama, of_vllm
from servers import SERVERS, VLLM, LiteLLM, Llama, Ollambda, Running, Transformers

KEY = "sk-of-a-server-on-loopback"


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Running]]:
    """Starts a server by its name, or skips the test and says what to do; all of them end with the session."""
    with ExitStack() as running:

        def started(kind: type, *arguments: Any, **named: Any) -> Any:
            """What its `start` returns, given a file for its log and these arguments."""
            server = SERVERS[kind.name]
            missing = server.missing()
            if missing:
                pytest.skip(missing)
            log: Path = tmp_path_factory.mktemp(server.name) / "log.txt"
            result = server.start(log, *arguments, **named)
            running.callback((result[0] if isinstance(result, tuple) else result).close)
            return result

        yield started


@pytest.fixture(scope="session")
def llama_server(start: Callable[..., Running]) -> Running:
    """llama.cpp's server, which also stands behind the others that are no model servers themselves."""
    return start(Llama)


@pytest.fixture(scope="session")
def llama(llama_server: Running) -> Served:
    """llama.cpp, as its clients see it."""
    return Served("llama_cpp", llama_server.url, counted=partial(of_llama, llama_server))


@pytest.fixture(scope="session")
def locked_llama(start: Callable[..., Running]) -> Served:
    """A llama.cpp that asks for a key."""
    return Served("llama_cpp", start(Llama, "--api-key", KEY).url, key=KEY)


@pytest.fixture(scope="session")
def litellm(start: Callable[..., Any], llama_server: Running, otlp_receiver: OtlpReceiver) -> Served:
    """LiteLLM in front of llama.cpp, which counts its tokens; its spans go to the receiver."""
    server, key = start(LiteLLM, llama_server.url, otlp_receiver.http_url)
    return Served("litellm", server.url, key=key, counted=partial(of_llama, llama_server))


@pytest.fixture(scope="session")
def vllm(start: Callable[..., Running], otlp_receiver: OtlpReceiver) -> Served:
    """vLLM; its spans go to the receiver."""
    server = start(VLLM, otlp_receiver.grpc_url)
    return Served("vllm", server.url, counted=partial(of_vllm, server))


@pytest.fixture(scope="session")
def litellm_of_vllm(start: Callable[..., Any], vllm: Served, otlp_receiver: OtlpReceiver) -> Served:
    """LiteLLM in front of vLLM; the spans of both go to the receiver."""
    server, key = start(LiteLLM, vllm.url, otlp_receiver.http_url)
    return Served("litellm", server.url, key=key, counted=vllm.counted)


@pytest.fixture(scope="session")
def transformers(start: Callable[..., Running]) -> Served:
    """`transformers serve`, which counts nothing that can be read."""
    return Served("transformers", start(Transformers).url, answers_as="tiny@main", names_requests=True)


@pytest.fixture(scope="session")
def ollambda(start: Callable[..., Running], llama_server: Running) -> Served:
    """Ollambda in front of llama.cpp."""
    return Served("ollambda", start(Ollambda, llama_server.port).url)


@pytest.fixture
def served(request: pytest.FixtureRequest) -> Served:
    """The server that a test is parametrised with, by the name of its fixture."""
    found: Served = request.getfixturevalue(request.param)
    return found
