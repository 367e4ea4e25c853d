"""What a port speaks, found out without a client of any protocol: plain HTTP/1.1, HTTP/2 (gRPC), or TLS."""

from __future__ import annotations

import re
import socket
import ssl

# The connection preface of HTTP/2 and an empty SETTINGS frame. A server for HTTP/1.1 answers it as a bad request.
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0"
_PLAIN = b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
_SETTINGS = 4
_MOST = 512  # bytes
_TLS_RECORDS = (0x15, 0x16)


def spoken(host: str, port: int, timeout: float) -> str:
    """Return what a port speaks to whoever connects without TLS.

    Args:
        host: its host.
        port: the port.
        timeout: in seconds, for each step.

    Returns:
        `http`, `http2`, `tls`, or `nothing` where none of these was recognised.

    Raises:
        OSError: the port cannot be reached.
    """
    known = _known(_answer(host, port, timeout, _PREFACE))
    if known is not None:
        return known
    if speaks_tls(host, port, timeout):
        return "tls"
    # A server may answer a version of HTTP that it does not know with a page and nothing before it.
    return _known(_answer(host, port, timeout, _PLAIN)) or "nothing"


def speaks_tls(host: str, port: int, timeout: float) -> bool:
    """Return whether a port speaks TLS, with whatever certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((host, port), timeout) as connection,
            context.wrap_socket(connection, server_hostname=host),
        ):
            return True
    except (OSError, ValueError):
        return False


def _known(answer: bytes) -> str | None:
    """Return what an answer is of; None if that is not known."""
    if answer.startswith(b"HTTP/"):
        return "tls" if re.search(rb"\bHTTPS\b", answer) else "http"  # not `HTTPStatus`, which pages of Python have
    if len(answer) > 3 and answer[3] == _SETTINGS and answer[0] == 0:
        return "http2"
    return "tls" if answer[:1] and answer[0] in _TLS_RECORDS else None


def _answer(host: str, port: int, timeout: float, sent: bytes) -> bytes:
    """Return the beginning of what a port answers."""
    received = b""
    with socket.create_connection((host, port), timeout) as connection:
        try:
            connection.sendall(sent)
            while len(received) < _MOST and (piece := connection.recv(_MOST)):
                received += piece
                if received[:1] == b"\0" and len(received) > 3:
                    break
        except OSError:  # what has come counts
            pass
    return received
