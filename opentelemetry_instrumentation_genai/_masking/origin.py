"""What is shown of a URL: scheme, host and port. A token may stand anywhere else in it."""

from __future__ import annotations

import re

HIDDEN = "…"
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,30}")
_END = re.compile(r"[/?#\\]")
_HOST = re.compile(r"(?:\[[\w:.%]*\]|[^\s:@\[\]]*)(?::[0-9]{0,5})?")


def origin(url: str) -> str:
    """Return the scheme, if there is one, and host and port of a URL, with `…` for the host where it is not sure which part it is.

    Args:
        url: a URL, or an address without scheme, which is what exporters of gRPC keep.
    """
    scheme, separator, rest = url.strip().partition("://")
    if not separator:
        scheme, rest = "", url.strip()
    authority = _END.split(rest, maxsplit=1)[0]
    host = authority.rpartition("@")[2]
    # A password with a slash in it that is not written in percent: what seems to be the host is the user.
    sure = "@" not in rest[len(authority) :] and _HOST.fullmatch(host) is not None
    if separator and not _SCHEME.fullmatch(scheme):
        scheme, separator, sure = "", "", False
    return f"{scheme}{separator}{host if sure else HIDDEN}"
