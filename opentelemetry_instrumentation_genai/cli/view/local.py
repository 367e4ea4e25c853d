"""What keeps pages of the web, and other users of the machine, away from servers on loopback."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.routing import Route
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

HOST: Final = "127.0.0.1"
_NAMES: Final = frozenset({HOST, "localhost", "::1"})
_POLICY: Final = (
    b"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none';"
    b" form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"content-security-policy", _POLICY),
)


_FORBIDDEN: Final = (
    "The address of this page has a token, so that other users of this machine cannot read it: open the whole address"
    " that `opentelemetry-genai view` has printed."
)


def routed(*routes: Route, token: str = "", public: Collection[str] = ()) -> ASGIApp:
    """Return an application with these paths and no other, not even with a slash at the end.

    Args:
        routes: the paths.
        token: that a request has to have; empty where none is needed.
        public: the paths that need none.
    """
    application = Starlette(routes=routes)
    application.router.redirect_slashes = False
    return OnlyLocal(WithToken(application, token, public) if token else application)


class WithToken:
    """An application that answers only what has its token: as `token` of the address, or as `Authorization: Bearer`."""

    def __init__(self, application: ASGIApp, token: str, public: Collection[str]) -> None:
        """Stand before an application, all paths of which but the public ones need the token."""
        self._application = application
        self._token = token.encode()
        self._public = frozenset(public)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; without the token by status 403."""
        application = self._application
        if scope["path"] not in self._public and not self._is_known(scope):
            application = PlainTextResponse(_FORBIDDEN, 403)
        await application(scope, receive, send)

    def _is_known(self, scope: Scope) -> bool:
        kind, _, sent = dict(scope["headers"]).get(b"authorization", b"").partition(b" ")
        named = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0].encode("utf-8", "replace")
        return secrets.compare_digest(sent if kind.lower() == b"bearer" else named, self._token)


class OnlyLocal:
    """An application that answers only what is addressed to this machine by its own names, and no page of another origin.

    A name of the web that resolves to 127.0.0.1 (DNS rebinding) has status 421, a page of the web 403.
    """

    def __init__(self, application: ASGIApp) -> None:
        """Stand before an application."""
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        headers = dict(scope["headers"])
        application = self._application
        if _name(b"//" + headers.get(b"host", b"")) not in _NAMES:
            application = PlainTextResponse("This server is reached as 127.0.0.1 or localhost.", 421)
        elif b"origin" in headers and _name(headers[b"origin"]) not in _NAMES:
            application = PlainTextResponse("Pages of other origins have no access.", 403)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *_HEADERS]}
            await send(message)

        await application(scope, receive, send_with_headers)


def _name(url: bytes) -> str | None:
    try:
        return urlsplit(url.decode("latin-1")).hostname
    except ValueError:
        return None
