"""Faults to be found: each is what an instrumentation of OpenAI's SDK could do wrong, beside ours."""

from __future__ import annotations

import copy
import logging
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import openai
from hypothesis import HealthCheck, Phase, given, settings
from opentelemetry.instrumentation.utils import suppress_instrumentation

from differential.cases import Case, cases, differences
from differential.endpoints import Endpoint
from loopback import ModelServer

BASE = openai._base_client


@contextmanager
def around_request(
    before: Callable[[Any], Any] = lambda options: options, after: Callable[[Any], Any] = lambda it: it
) -> Iterator[None]:
    """While it holds, what is done before and after `SyncAPIClient.request`."""
    original = BASE.SyncAPIClient.request

    def request(self: Any, cast_to: Any, options: Any, *args: Any, **kwargs: Any) -> Any:
        return after(original(self, cast_to, before(options), *args, **kwargs))

    BASE.SyncAPIClient.request = request  # type: ignore[assignment]
    try:
        yield
    finally:
        BASE.SyncAPIClient.request = original  # type: ignore[method-assign]


def _with_header(options: Any) -> Any:
    changed = copy.copy(options)
    changed.headers = {**(options.headers or {}), "x-planted": "1"}
    return changed


def _with_member(options: Any) -> Any:
    changed = copy.copy(options)
    if isinstance(options.json_data, dict):
        changed.json_data = {**options.json_data, "planted": 1}
    return changed


def _with_less(options: Any) -> Any:
    """The caller's own list, without its last message."""
    messages = options.json_data.get("messages") if isinstance(options.json_data, dict) else None
    if isinstance(messages, list) and messages:
        messages.pop()
    return options


def _another(_: Any) -> Any:
    raise RuntimeError("planted")


def _logged(options: Any) -> Any:
    logging.getLogger("planted").warning("planted")
    return options


def _warned(options: Any) -> Any:
    warnings.warn("planted", stacklevel=2)
    return options


def _written(options: Any) -> Any:
    print("planted", file=sys.stderr)
    return options


@contextmanager
def without_the_last_chunk() -> Iterator[None]:
    """A stream that keeps its last chunk to itself."""
    original = openai.Stream.__stream__

    def stream(self: Any) -> Iterator[Any]:
        held = None
        for chunk in original(self):
            if held is not None:
                yield held
            held = chunk

    openai.Stream.__stream__ = stream  # type: ignore[method-assign]
    try:
        yield
    finally:
        openai.Stream.__stream__ = original  # type: ignore[method-assign]


@contextmanager
def with_a_header_on_the_wire() -> Iterator[None]:
    """A header more in whatever httpx and botocore send."""
    originals = {kind: kind.send for kind in _senders()}

    def sending(original: Callable[..., Any]) -> Callable[..., Any]:
        def send(self: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
            request.headers["x-planted"] = "1"
            return original(self, request, *args, **kwargs)

        return send

    for kind, original in originals.items():
        kind.send = sending(original)
    try:
        yield
    finally:
        for kind, original in originals.items():
            kind.send = original


def _senders() -> list[Any]:
    names = (("httpx", "Client"), ("httpx2", "Client"), ("botocore.httpsession", "URLLib3Session"))
    return [getattr(import_module(module), name) for module, name in names if find_spec(module)]


PLANTS: dict[str, Callable[[], Any]] = {
    "a header": lambda: around_request(_with_header),
    "a member of the body": lambda: around_request(_with_member),
    "the caller's list": lambda: around_request(_with_less),
    "another result": lambda: around_request(after=lambda _: None),
    "another exception": lambda: around_request(after=_another),
    "a line in the log": lambda: around_request(_logged),
    "a warning": lambda: around_request(_warned),
    "a line on stderr": lambda: around_request(_written),
    "a chunk": without_the_last_chunk,
    "no span": suppress_instrumentation,
}
"""What is changed -> a context manager, within which it is."""
SENT: dict[str, Callable[[], Any]] = {"a header": with_a_header_on_the_wire, "no span": suppress_instrumentation}
"""The same for SDKs of all kinds."""
_MOST = 200  # cases, of which the first that differs is enough


def hold_all(endpoints: Sequence[Endpoint], server: ModelServer, plant: Callable[[], Any]) -> None:
    """Hold some cases with a plant.

    Args:
        endpoints: what is called.
        server: what answers.
        plant: returns a context manager.

    Raises:
        AssertionError: a case differs.
    """

    @settings(
        max_examples=_MOST, deadline=None, database=None, derandomize=True,
        phases=[Phase.generate], suppress_health_check=[*HealthCheck], report_multiple_bugs=False,
    )  # fmt: skip
    @given(case=cases(endpoints, ways=("sync",)))
    def hold(case: Case) -> None:
        assert [] == differences(case, server, plant)

    hold()
