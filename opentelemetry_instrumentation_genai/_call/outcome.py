"""The outcome of a call: how it ended, and its response, failure and attributes."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from .._adapter.failure import Failure, raised
from .._conventions.names import ERROR_TYPE, RESPONSE_FINISH_REASONS, RESPONSE_TIME_TO_FIRST_CHUNK
from .._runtime.guard import guarded

if TYPE_CHECKING:
    from .._adapter.fields import Attribute
    from .state import CallState

Ending: TypeAlias = Literal["returned", "read", "left", "failed"]
"""`returned`: the SDK returned the whole response. `read`: the application read it to its end. `left`: the application stopped reading,
or dropped it. `failed`: the SDK raised."""

USAGE_PREFIX = "gen_ai.usage."
"""The prefix of the attributes of usage."""
_raised = guarded(raised)


class Outcome(NamedTuple):
    """How a call ended.

    Attributes:
        ending: in which way.
        response: the SDK's object, JSON, or what the accumulator made of the chunks, in the form that the endpoint reads; None if nothing
            was received.
        received: the same as it was received, for the application's hooks.
        error: the exception that the SDK raised, if it did.
        failure: how the call failed, by the exception or by the response itself; None if it did not.
        attributes: those of the response. An observer may add to them, for itself and for those after it.
        seconds: how long the call took, with all its retries and the reading of its response.
        first_chunk: seconds from its start to the first chunk of a stream; None where there was none.
    """

    ending: Ending
    response: Any
    received: Any
    error: BaseException | None
    failure: Failure | None
    attributes: dict[str, Attribute]
    seconds: float
    first_chunk: float | None


def outcome_of(call: CallState, ending: Ending, received: Any, error: BaseException | None, seconds: float) -> Outcome:
    """Return the outcome of a call.

    Args:
        call: the call; its clock has stopped.
        ending: how it ended.
        received: the plain response, if any; the chunks come first.
        error: what the SDK raised.
        seconds: how long it took.
    """
    chunks = call.chunks
    first_chunk = None if chunks is None else chunks.first
    if chunks is not None and (first_chunk is not None or chunks.noted):
        response = received = chunks.response()
    else:
        response = _in_form(call, received)
    attributes = _attributes(call, response, first_chunk) or {}
    failure = _failure(call, response, error)
    if failure is not None:
        attributes[ERROR_TYPE] = failure.error_type
    return Outcome(ending, response, received, error, failure, attributes, seconds, first_chunk)


@guarded
def _in_form(call: CallState, received: Any) -> Any:
    form = call.endpoint.form
    return received if form is None or received is None else form(received)


@guarded
def _attributes(call: CallState, response: Any, first_chunk: float | None) -> dict[str, Attribute]:
    """Return the attributes of a response: all of them, or those that metrics need."""
    endpoint = call.endpoint
    if call.unknown_server is not None:
        call.identify_by_response(response)
    found = (endpoint.response if call.detailed else endpoint.measured).read(response)
    counts = endpoint.counts_usage
    if counts is not None and response is not None and not counts(response, call.counted.first):
        found = {name: value for name, value in found.items() if not name.startswith(USAGE_PREFIX)}
    if not call.detailed:
        return found
    found.update(call.http_attributes)
    if call.attribution:
        found.update(call.attribution)
    if first_chunk is not None:
        found[RESPONSE_TIME_TO_FIRST_CHUNK] = first_chunk
    reasons = endpoint.finish_reasons(response, call.stream) if response is not None else None
    if reasons:
        found[RESPONSE_FINISH_REASONS] = reasons
    return found


@guarded
def _failure(call: CallState, response: Any, error: BaseException | None) -> Failure | None:
    if response is None:
        reported = None
    elif error is None:  # without a guard of its own: if this step raises, there is no failure to report either
        reported = call.endpoint.failure(response)
    else:
        reported = _reported(call, response)
    if error is None and reported is None:
        return None
    secrets = _secrets(call) or ()
    reported = None if reported is None else reported.with_secrets_masked(secrets)
    if error is None:
        return reported
    kind = type(error).__qualname__
    failure = _raised(error, secrets) or Failure(kind, kind, kind)
    if not call.kind.remote:  # a `code` of the application's own exceptions may be anything
        return dataclasses.replace(failure, error_type=failure.exception_type)
    if reported is not None and failure.error_type == failure.exception_type:
        # The exception has no error code, so that of the response counts.
        failure = dataclasses.replace(failure, error_type=reported.error_type)
    return failure


@guarded
def _reported(call: CallState, response: Any) -> Failure | None:
    return call.endpoint.failure(response)


@guarded
def _secrets(call: CallState) -> tuple[str, ...]:
    """Return the credentials that the message of the failure may quote."""
    return call.secrets()
