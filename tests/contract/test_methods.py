"""Nothing that the SDK can do is forgotten: each of its methods has a row, or a reason why it has none."""

from __future__ import annotations

from typing import Any

import pytest

from contract import WAYS, Provider, Way
from contract.methods import covered, methods
from contract.providers import PROVIDERS

BY_PROVIDER = pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.name)
BY_WAY = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)


def _unlisted(provider: Provider, client: Any) -> list[str]:
    """The methods with neither."""
    rows = {row.method for row in provider.rows}
    found = methods(client, provider.resources)
    return [method for method in found if method not in rows and not covered(method, provider.not_followed)]


@BY_WAY
@BY_PROVIDER
def test_every_method_has_a_row_or_a_reason(clients: Any, provider: Provider, way: Way) -> None:
    """Of every resource of the installed SDK, beta included."""
    client = clients(provider.clients[0], way)

    assert [] == _unlisted(provider, client)


@BY_WAY
@BY_PROVIDER
def test_a_new_method_is_noticed(clients: Any, provider: Provider, way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    """A method that the next SDK adds to any resource with rows fails the test above."""
    client = clients(provider.clients[0], way)
    paths = {row.method.rpartition(".")[0] for row in provider.rows if row.find(client)}
    for path in paths:
        with monkeypatch.context() as patching:
            patching.setattr(type(_resource(client, path)), "foo", lambda _: None, raising=False)
            assert f"{path}.foo".lstrip(".") in _unlisted(provider, client)


@BY_WAY
@BY_PROVIDER
def test_a_new_resource_is_noticed(clients: Any, provider: Provider, way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    """So does a resource, with all of its methods."""
    client = clients(provider.clients[0], way)
    path, _, name = provider.rows[0].method.rpartition(".")
    if not path:
        pytest.skip("this SDK has its methods on the client")
    known = _resource(client, path)

    monkeypatch.setattr(type(client), "novel", property(lambda _: known), raising=False)

    assert f"novel.{name}" in _unlisted(provider, client)


def _resource(client: Any, path: str) -> Any:
    """The client itself if there is no path."""
    for name in filter(None, path.split(".")):
        client = getattr(client, name)
    return client


@BY_PROVIDER
def test_no_row_is_listed_as_not_followed(provider: Provider) -> None:
    """A method has a row or a reason, not both."""
    assert [] == [row.id for row in provider.rows if covered(row.method, provider.not_followed)]


@BY_WAY
@BY_PROVIDER
def test_there_are_methods(clients: Any, provider: Provider, way: Way) -> None:
    """Those that every version has are found, so that the tests above are not about nothing."""
    found = set(methods(clients(provider.clients[0], way), provider.resources))

    assert set(provider.always) <= found
