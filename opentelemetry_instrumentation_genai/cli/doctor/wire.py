"""What a port speaks, found out without a client of any protocol: plain HTTP/1.1, HTTP/2 (gRPC), or TLS."""

from __future__ import annotations

import socket
import ssl

# The connection preface of HTTP/2 and an empty SETTINGS frame. A server for HTTP/1.1 answers it as a bad request.
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04\0\0\0\0\0"
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
    with socket.create_connection((host, port), timeout) as connection:
        answer = _answer(connection)
    if answer.startswith(b"HTTP/"):
        return "tls" if b"HTTPS" in answer else "http"
    if len(answer) > 3 and answer[3] == _SETTINGS and answer[0] == 0:
        return "http2"
    if answer[:1] and answer[0] in _TLS_RECORDS:
        return "tls"
    return "tls" if speaks_tls(host, port, timeout) else "nothing"


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


def _answer(connection: socket.socket) -> bytes:
    received = b""
    try:
        connection.sendall(_PREFACE)
        while len(received) < _MOST and (piece := connection.recv(_MOST)):
            received += piece
            if received[:1] == b"\0" and len(received) > 3:
                break
    except OSError:  # what has come counts
        pass
    return received
