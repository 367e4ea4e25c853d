"""Asks several questions at the same time, until each worker has answered one."""

from __future__ import annotations

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection

from opentelemetry import trace
from opentelemetry.propagate import inject

PORT = int(os.environ["WEB_PORT"])
WORKERS = 2
MOST_ROUNDS = 20
QUESTIONS = (
    "Where is the best pastry?",
    "When is closing time of the cellars?",
    "Do I need an umbrella?",
    "Which bridge is for walking?",
)
tracer = trace.get_tracer("web-client")


@tracer.start_as_current_span("ask", kind=trace.SpanKind.CLIENT)
def ask(question: str) -> dict[str, str | int]:
    """Ask one question, with the context of the trace."""
    headers = {"Content-Type": "application/json"}
    inject(headers)
    connection = HTTPConnection("127.0.0.1", PORT, timeout=60)
    connection.request("POST", "/ask", json.dumps({"question": question}), headers)
    reply: dict[str, str | int] = json.load(connection.getresponse())
    connection.close()
    return reply


def wait_for_server(seconds: float) -> None:
    """Wait until the server listens.

    Raises:
        OSError: it does not within so many seconds.
    """
    end = time.monotonic() + seconds
    while True:
        connection = HTTPConnection("127.0.0.1", PORT)
        try:
            connection.connect()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return
        finally:
            connection.close()


def main() -> None:
    """Ask all questions at once, again and again until no worker is left out."""
    replies: list[dict[str, str | int]] = []
    with ThreadPoolExecutor(len(QUESTIONS)) as threads:
        for _ in range(MOST_ROUNDS):
            replies += threads.map(ask, QUESTIONS)
            workers = {reply["worker"] for reply in replies}
            if len(workers) == WORKERS:
                break
    for reply in replies[: len(QUESTIONS)]:
        print(reply["answer"])
    print(f"{len(replies)} answers of {len(workers)} workers")


if __name__ == "__main__":
    wait_for_server(120)
    main()
