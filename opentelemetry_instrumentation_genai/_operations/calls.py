"""The call of an operation that runs in this process: one that the application names, or one of a framework.

Whoever starts it makes `call.context` current while the operation runs, ends it with `end_call`, and then settles it.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.instrumentation.utils import is_instrumentation_enabled

from .._adapter.client_servers import Server
from .._application.agents import agent_in
from .._application.capture_content import capture_in
from .._call.call import Call
from .._call.request import Request
from .._runtime.guard import guarded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from opentelemetry.context.context import Context

    from .._adapter.endpoint import Endpoint
    from .._signals.application import ApplicationSignals

NO_SERVER: Final = Server("", 0, "", propagates=False)


@guarded
def call_of(
    used: ApplicationSignals,
    endpoint: Endpoint,
    given: Mapping[str, Any],
    context: Context,
    server: Server = NO_SERVER,
) -> Call | None:
    """Return the call of an operation, which `start_call` starts; None if instrumentation is suppressed here, or if a step fails.

    Whoever gets it keeps it before it is started, so that it ends whatever interrupts the start.

    Args:
        used: the signals that record it.
        endpoint: which attributes and content it has.
        given: the input that the endpoint reads; `provider` in it is that of the model, if there is one.
        context: the context that the operation begins in.
        server: that runs it, if it is remote.
    """
    if not is_instrumentation_enabled():
        return None
    signals, agent = used.signals, agent_in(context)
    given = given if agent is None else {"agent_name": agent.name, **given}
    provider, attribution = str(given.get("provider", "")), signals.attribution.of(context)
    request = Request(used.endpoint(endpoint), provider, server, given, False, capture_in(context), attribution)
    return Call(signals, request, context)


def start_call(call: Call, adopts: bool = False) -> Context:
    """Start a call and its clock. Return the context of the operation.

    Args:
        call: the call.
        adopts: whether the SDK starts the span, which the call adopts then; the context has it after that.
    """
    call.start(adopts)
    call.started = perf_counter()
    return call.context


def end_call(call: Call, response: Mapping[str, Any], error: BaseException | None = None) -> None:
    """End the call of an operation. The caller settles it, whatever this raises.

    Args:
        call: the call.
        response: what the endpoint reads as the response; its result is the member `RESULT`.
        error: the exception that ended the operation, if one did.
    """
    if error is None:
        call.succeed(response)
    else:
        call.fail(error, response)
