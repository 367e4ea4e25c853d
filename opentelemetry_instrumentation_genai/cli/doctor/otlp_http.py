"""An empty export over HTTP, as the exporter sends it: the same URL, headers, proxies and certificate."""

from __future__ import annotations

import ssl
from base64 import b64encode
from http.client import HTTPException, InvalidURL
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

from .headers import unsendable
from .outcome import Outcome, of_error

if TYPE_CHECKING:
    from .targets import Target

_PROTOBUF = "application/x-protobuf"
_LIKE_OTLP = ("protobuf", "json", "octet-stream")


class _NoRedirect(HTTPRedirectHandler):
    """The exporter sends its body once; where it is to go instead is what the user wants to know."""

    def redirect_request(  # noqa: PLR0917 - as in its base
        self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: Any
    ) -> None:
        return None


def export(target: Target, timeout: float) -> Outcome:
    """Send an empty export, which a server for OTLP accepts.

    Args:
        target: where.
        timeout: in seconds.
    """
    url, authorization = _without_user(target.url)
    headers = {"content-type": _PROTOBUF, **target.headers, **authorization}
    try:
        request = Request(url, data=b"", headers=headers, method="POST")  # noqa: S310 - the scheme is looked at before
        opener = build_opener(_NoRedirect, HTTPSHandler(context=ssl.create_default_context(cafile=target.certificate)))
        with opener.open(request, timeout=timeout) as response:
            return _accepted(response.status, dict(response.headers.items()))
    except HTTPError as error:
        with error:
            return Outcome("status", str(error.code), error.reason or "", _lower(dict(error.headers.items())))
    except URLError as error:
        return (
            of_error(error.reason) if isinstance(error.reason, BaseException) else Outcome("broken", why=error.reason)
        )
    except (ValueError, InvalidURL):  # their texts quote headers, URLs of proxies, paths
        why = unsendable(target.headers)
        return Outcome("headers" if why else "url", why=why)
    except (OSError, HTTPException) as error:
        return of_error(error)


def _without_user(url: str) -> tuple[str, dict[str, str]]:
    """Return a URL without its user, and the header that the exporter makes of user and password."""
    parts = urlsplit(url)
    if parts.username is None or parts.password is None:
        return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl(), {}
    pair = f"{unquote(parts.username)}:{unquote(parts.password)}".encode("latin-1", "replace")
    return parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl(), {
        "authorization": f"Basic {b64encode(pair).decode()}"
    }


def _accepted(status: int, headers: dict[str, str]) -> Outcome:
    """Return whether an answer of success is one of OTLP: a page of HTML is none."""
    found = _lower(headers)
    kind = found.get("content-type", "")
    if kind and not any(word in kind for word in _LIKE_OTLP) and "text/plain" not in kind:
        return Outcome("odd", str(status), f"its answer is {kind}", found)
    return Outcome("accepted", str(status), headers=found)


def _lower(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
