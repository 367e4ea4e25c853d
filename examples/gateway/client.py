"""Asks the gateway for two tenants, and prints the answers as they come."""

from __future__ import annotations

import json
import os
import socket
import time
from http.client import HTTPConnection

from opentelemetry import trace
from opentelemetry.propagate import inject

PORT = int(os.environ["GATEWAY_PORT"])
REQUESTS = (
    ("acme", "gpt-4.1-mini", "Which way along the river?"),
    ("acme", "claude-sonnet-4-5", "Where is the best pastry?"),
    ("globex", "llama3.2", "When is closing time of the cellars?"),
    ("globex", "gpt-missing", "Is anybody there?"),
)
tracer = trace.get_tracer("gateway-client")


def wait_for_gateway(seconds: float) -> None:
    """Wait until the gateway listens.

    Raises:
        OSError: it does not within so many seconds.
    """
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection(("127.0.0.1", PORT)).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return


@tracer.start_as_current_span("ask", kind=trace.SpanKind.CLIENT)
def ask(tenant: str, model: str, question: str) -> None:
    """Ask one question, with the context of the trace."""
    headers = {"Authorization": f"Bearer key-of-{tenant}", "Content-Type": "application/json"}
    inject(headers)
    connection = HTTPConnection("127.0.0.1", PORT)
    connection.request("POST", "/ask", json.dumps({"model": model, "question": question}), headers)
    response = connection.getresponse()
    print(f"{tenant} {response.status} ", end="")
    while piece := response.read1():
        print(piece.decode(), end="", flush=True)
    print()
    connection.close()


if __name__ == "__main__":
    wait_for_gateway(120)
    for request in REQUESTS:
        ask(*request)
