"""The agent of the SDK: it is given a prompt, and its response has the members of a `ResultMessage`.

Besides these the response has `model`, which answered; `usage` and `cost` are those of the turn.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

from ..._adapter.anthropic_api.messages import USAGE, finish_reasons
from ..._adapter.billing import Billing
from ..._adapter.failure import reported
from ..._adapter.fields import field, items, member, string, table
from ..._adapter.parts import text
from ..._conventions import names
from ..._conventions.operation_kinds import AGENT_PROGRAM
from ..._operations.endpoints import AGENT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..._adapter.endpoint import Content
    from ..._adapter.failure import Failure

_ABORTED = "aborted"  # `aborted_streaming` and `aborted_tools`: the application has interrupted the turn


def _input(given: Mapping[str, Any]) -> Content:
    prompt, instructions = given.get("prompt"), given.get("instructions")
    content: Content = {}
    if isinstance(prompt, str):
        content[names.INPUT_MESSAGES] = [{"role": "user", "parts": [text(prompt)]}]
    if isinstance(instructions, str):
        content[names.SYSTEM_INSTRUCTIONS] = [text(instructions)]
    return content


def _output(response: Any, reasons: Sequence[str]) -> Content:
    answer = member(response, "result")
    if not isinstance(answer, str):
        return {}
    reason = reasons[0] if reasons else "error" if member(response, "is_error") else "stop"
    return {names.OUTPUT_MESSAGES: [{"role": "assistant", "parts": [text(answer)], "finish_reason": reason}]}


def _failure(response: Any) -> Failure | None:
    """Return the failure that a result reports. Of a failed request to the model the subtype is `success` nevertheless."""
    reason = string(member(response, "terminal_reason"))
    if member(response, "is_error") is not True or (reason or "").startswith(_ABORTED):
        return None
    subtype, status = member(response, "subtype"), member(response, "api_error_status")
    code = next((one for one in (subtype, reason) if one not in (None, "success", "completed")), status)
    errors = [error for error in items(response, "errors") if isinstance(error, str)]
    return reported(code, "; ".join(errors) or member(response, "result"))


def _billing(response: Any) -> Billing:
    return Billing(cost=member(response, "cost"), has_list_price=False)


AGENT_OF_SDK: Final = dataclasses.replace(
    AGENT,
    kind=AGENT_PROGRAM,
    response=table(
        field(names.RESPONSE_MODEL, string, "model"), field(names.CONVERSATION_ID, string, "session_id"), *USAGE
    ),
    finish_reasons=finish_reasons,
    input_content=_input,
    output_content=_output,
    failure=_failure,
    billing=_billing,
)
