"""The routes of an SDK: which endpoint a request goes to, by its method and the segments of its path."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from .._adapter.request_bodies import mapping

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .._adapter.endpoint import Endpoint

_NO_IDS: Mapping[str, str] = MappingProxyType({})


class Routes:
    """The endpoints that are followed.

    Args:
        endpoints: (method in lower case, path) -> endpoint. A segment `{name}` of a path stands for an id, wherever it is.
    """

    def __init__(self, endpoints: Mapping[tuple[str, str], Endpoint]) -> None:
        self._paths = {(method, path): endpoint for (method, path), endpoint in endpoints.items() if "{" not in path}
        self._templates: dict[tuple[str, int], list[tuple[list[str], Endpoint]]] = {}
        for (method, path), endpoint in endpoints.items():
            if "{" in path:
                segments = _segments(path)
                self._templates.setdefault((method, len(segments)), []).append((segments, endpoint))

    def find(self, method: str, path: str) -> tuple[Endpoint | None, Mapping[str, str]]:
        """Return the endpoint of a request, None if it is not followed, and the ids in its path by their names.

        Args:
            method: in lower case.
            path: below the base URL; slashes around it and a query do not count.
        """
        endpoint = self._paths.get((method, path))
        if endpoint is not None:
            return endpoint, _NO_IDS
        segments = _segments(path.partition("?")[0])
        endpoint = self._paths.get((method, "/" + "/".join(segments)))
        if endpoint is not None:
            return endpoint, _NO_IDS
        for template, templated in self._templates.get((method, len(segments)), ()):
            ids = _ids(template, segments)
            if ids is not None:
                return templated, ids
        return None, _NO_IDS


def _segments(path: str) -> list[str]:
    return path.strip("/").split("/")


def _ids(template: list[str], segments: list[str]) -> dict[str, str] | None:
    """Return the ids in a path; None if it does not match the template."""
    ids: dict[str, str] = {}
    for name, segment in zip(template, segments, strict=True):
        if name.startswith("{"):
            ids[name[1:-1]] = segment
        elif name != segment:
            return None
    return ids


def path_below(base: str, url: str) -> str:
    """Return the path of a whole URL below a base URL, and all of its path if it is not below it; a path is returned as it is.

    Args:
        base: the base URL, with a slash at its end.
        url: the URL, or the path.
    """
    if "://" not in url.partition("?")[0]:
        return url
    return url[len(base) :] if url.startswith(base) else url.partition("://")[2].partition("/")[2]


def input_of(endpoint: Endpoint, ids: Mapping[str, str], body: Any, extra: Any, parameters: Any) -> Mapping[str, Any]:
    """Return the input of a request. A body that is no JSON object counts as empty.

    Args:
        endpoint: where the request goes, which says where its input is.
        ids: those in its path.
        body: its body; an array, or bytes, is possible.
        extra: the caller's `extra_body`, of which a member replaces one of the body.
        parameters: those of its URL.
    """
    members = mapping(body)
    if extra is not None:
        members = {**members, **mapping(extra)}
    if endpoint.input == "parameters":
        members = {**mapping(parameters), **members}
    return {**members, **ids} if ids else members
