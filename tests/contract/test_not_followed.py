"""Whatever is not followed leaves nothing: no span, no metric, no event."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

import pytest

from contract import WAYS, Provider, Way
from contract.drive import Opened, listed, settled
from contract.methods import covered, methods
from contract.providers import PROVIDERS
from loopback import Json, ModelServer, Telemetry

BY_WAY = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
NOTHING = {"spans": [], "metrics": {}, "events": []}
LISTED = [
    pytest.param(provider, listed, id=f"{provider.name}-{listed}")
    for provider in PROVIDERS
    for listed in provider.not_followed
]
PATHS = [
    pytest.param(provider, verb, path, id=f"{provider.name}-{verb}-{path}")
    for provider in PROVIDERS
    for verb, path in provider.other_paths
]
# By what an annotation says, what an argument may be; everything else may be a text.
ARGUMENTS: tuple[tuple[str, Any], ...] = (
    ("FileTypes", b"x"),
    ("Iterable", []),
    ("List", []),
    ("Sequence", []),
    ("Dict", {}),
    ("Mapping", {}),
    ("int", 1),
)


@BY_WAY
@pytest.mark.parametrize(("provider", "entry"), LISTED)
def test_a_method_with_a_reason_leaves_nothing(
    server: ModelServer, telemetry: Telemetry, clients: Any, *, provider: Provider, entry: str, way: Way
) -> None:
    """Each is called, with arguments that it takes, and makes its request."""
    client = clients(provider.clients[0], way)
    found = [method for method in methods(client, provider.resources) if covered(method, {entry})]
    called = [method for method in found if not any(fnmatchcase(method, name) for name in provider.not_called)]
    if not called:
        pytest.skip(f"this SDK has no {entry} that can be called so")
    server.reply_always(Json({}))
    provider.instrumentor().instrument(**telemetry.providers, capture_message_content="span_and_event")

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        for method in called:
            way.run(_use(_method(client, method)))

    assert server.requests
    assert NOTHING == telemetry.snapshot()


def _method(client: Any, path: str) -> Callable[..., Any]:
    for name in path.split("."):
        client = getattr(client, name)
    return client  # type: ignore[no-any-return]


async def _use(method: Callable[..., Any]) -> None:
    """Whatever the SDK makes of an empty answer: this is about what is recorded."""
    try:
        result = method(**_arguments(method))
        if hasattr(result, "__aenter__") or (hasattr(result, "__enter__") and not inspect.isawaitable(result)):
            async with Opened(result) as opened:
                await listed(opened)
        else:
            await settled(result)
    except Exception as error:
        print(f"{type(error).__name__}: {error}")


def _arguments(method: Callable[..., Any]) -> dict[str, Any]:
    """Something for each that has no default, and for those that want no ordinary key."""
    parameters = inspect.signature(method).parameters
    given = {
        name: next((value for word, value in ARGUMENTS if word in str(parameter.annotation)), "x")
        for name, parameter in parameters.items()
        if parameter.default is parameter.empty
        and parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    }
    return {**given, "extra_headers": {"Authorization": "Bearer none"}} if "extra_headers" in parameters else given


@BY_WAY
@pytest.mark.parametrize(("provider", "verb", "path"), PATHS)
def test_a_path_next_to_an_operation_leaves_nothing(
    server: ModelServer, telemetry: Telemetry, clients: Any, *, provider: Provider, verb: str, path: str, way: Way
) -> None:
    """One that begins, or ends, or is spelled like that of an operation, and is another."""
    server.reply(Json({"id": "x", "choices": [], "usage": {"input_tokens": 1}}))
    provider.instrumentor().instrument(**telemetry.providers, capture_message_content="span_and_event")
    client = clients(provider.clients[0], way)

    way.run(_made(getattr(client, verb), path))

    assert [verb.upper()] == [request.method for request in server.requests]
    assert NOTHING == telemetry.snapshot()


async def _made(method: Callable[..., Any], path: str) -> Any:
    """A request by hand."""
    return await settled(method(path, cast_to=object))
