"""The page, its files, and the answers to its script."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from .local import routed
from .queries import Filters, Queries
from .schema import ORDERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from .store import Store

_FILES: Final = {
    "/": ("index.html", "text/html; charset=utf-8"),
    "/app.js": ("app.js", "text/javascript; charset=utf-8"),
    "/chat.js": ("chat.js", "text/javascript; charset=utf-8"),
    "/text.js": ("text.js", "text/javascript; charset=utf-8"),
    "/tree.js": ("tree.js", "text/javascript; charset=utf-8"),
    "/style.css": ("style.css", "text/css; charset=utf-8"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
    # What a browser asks for beside a page that names no icon, as the one that refuses a wrong token.
    "/favicon.ico": ("icon.svg", "image/svg+xml"),
}
_MOST: Final = 200


def pages(store: Store, queries: Queries, environment: Mapping[str, str], token: str) -> ASGIApp:
    """Return the application that a browser talks to.

    Args:
        store: its version says whether there is something new.
        queries: that read it.
        environment: the variables that an application needs, for the page to show while there is nothing.
        token: without which nothing is answered but the files of the page, which are the same everywhere.
    """
    routes = [*_static(), *_Answers(store, queries, environment).routes()]
    return routed(*routes, token=token, public=_FILES.keys() - {"/"})


class _Answers:
    def __init__(self, store: Store, queries: Queries, environment: Mapping[str, str]) -> None:
        self._store = store
        self._queries = queries
        self._environment = dict(environment)

    def routes(self) -> list[Route]:
        """Return the paths and what answers them."""
        return [
            Route("/api/status", self.status),
            Route("/api/choices", self.choices),
            Route("/api/traces", self.traces),
            Route("/api/traces/{trace}", self.trace),
            Route("/api/traces/{trace}/spans/{span}", self.span),
        ]

    async def status(self, _: Request) -> Response:
        """Return `version`, which changes when something arrives; it is asked for every second."""
        return _json({"version": self._store.version})

    async def choices(self, _: Request) -> Response:
        """Return the values of the filters, how much there is, and how an application sends its telemetry here."""
        choices = await run_in_threadpool(self._queries.choices)
        counts = await run_in_threadpool(self._queries.counts)
        return _json({**choices, "counts": counts, "dropped": self._store.dropped, "environment": self._environment})

    async def traces(self, request: Request) -> Response:
        """Return a part of the list, narrowed to what the parameters say."""
        asked = request.query_params
        order = asked.get("sort", "start")
        if order not in ORDERS:
            return _json({"error": f"`sort` is one of {', '.join(ORDERS)}"}, 400)
        try:
            before = _before(asked.get("before", ""))
            limit = max(1, min(int(asked.get("limit", 50)), _MOST))
        except ValueError:
            return _json({"error": "`before` and `limit` are numbers that an earlier answer had"}, 400)
        version = self._store.version
        found = await run_in_threadpool(
            lambda: self._queries.traces(_filters(asked), order=order, before=before, limit=limit)
        )
        return _json({**found, "version": version})

    async def trace(self, request: Request) -> Response:
        """Return a trace with the tree of its spans."""
        return await self._one(self._queries.trace, request)

    async def span(self, request: Request) -> Response:
        """Return a span with everything."""
        return await self._one(self._queries.span, request)

    async def _one(self, read: Callable[..., dict[str, Any] | None], request: Request) -> Response:
        found = await run_in_threadpool(read, **request.path_params)
        return _json({"error": "It is not there, or no longer."}, 404) if found is None else _json(found)


def _filters(asked: Any) -> Filters:
    tags = [tag.partition("=") for tag in asked.getlist("tag")]
    return Filters(
        everything=asked.get("everything") == "1",
        errors=asked.get("errors") == "1",
        tags=tuple((name.strip(), value.strip()) for name, _, value in tags if name.strip()),
        **{name: asked.get(name, "") for name in ("model", "provider", "operation", "conversation", "text")},
    )


def _before(text: str) -> tuple[float, int] | None:
    if not text:
        return None
    place, _, number = text.rpartition(".")
    return (_bounded(place) if re.fullmatch(r"-?\d+", place) else float(place)), _bounded(number)


def _bounded(text: str) -> int:
    """Return a number that SQLite can compare with: its integers have 64 bits."""
    return max(-1, min(int(text), 2**63 - 1))


def _static() -> list[Route]:
    folder = files(__name__.rpartition(".")[0]) / "static"
    return [
        Route(path, _file((folder / name).read_bytes(), kind), methods=["GET"]) for path, (name, kind) in _FILES.items()
    ]


def _file(content: bytes, kind: str) -> Callable[[Request], Response]:
    return lambda _: Response(content, media_type=kind)


def _json(value: Any, status: int = 200) -> Response:
    # With escapes: half a surrogate pair, which a text of JSON may have, is no UTF-8.
    return Response(json.dumps(value, separators=(",", ":")), status, media_type="application/json")
