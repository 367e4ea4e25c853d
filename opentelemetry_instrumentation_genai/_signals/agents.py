"""How many calls an agent makes: two histograms, recorded when its run ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._application.agents import Agent, within
from .._call.observer import Observer
from .._conventions.names import AGENT_NAME, METRIC_AGENT_INFERENCE_CALLS, METRIC_AGENT_TOOL_CALLS
from .._conventions.operation_kinds import EXECUTE_TOOL, INFERENCE, MCP_TOOL_CALL
from .recording import record

if TYPE_CHECKING:
    from opentelemetry.metrics import Meter

    from .._call.outcome import Outcome
    from .._call.request import Request
    from .._call.state import CallState
    from .recording import AttributeSet

_CALLS = [2**n for n in range(8)]


class AgentInstruments:
    """The instruments of one meter."""

    def __init__(self, meter: Meter) -> None:
        self.inference_calls = meter.create_histogram(
            METRIC_AGENT_INFERENCE_CALLS,
            "{inference_call}",
            "Model calls that an agent makes in one run.",
            explicit_bucket_boundaries_advisory=_CALLS,
        )
        self.tool_calls = meter.create_histogram(
            METRIC_AGENT_TOOL_CALLS,
            "{tool_call}",
            "Tools that an agent executes in one run.",
            explicit_bucket_boundaries_advisory=_CALLS,
        )


class AgentCalls(Observer):
    """The number of calls in one run of an agent.

    Args:
        call: the run.
        instruments: where they are recorded.
    """

    __slots__ = ("_agent", "_call", "_instruments")

    def __init__(self, call: CallState, instruments: AgentInstruments) -> None:
        self._call = call
        self._instruments = instruments
        name = call.identity.get(AGENT_NAME)
        self._agent = Agent(name if isinstance(name, str) else None)

    def started(self, request: Request) -> None:
        """Let what runs in the agent find it."""
        self._call.context = within(self._agent, self._call.context)

    def ended(self, outcome: Outcome) -> None:
        """Record both counts."""
        agent, context, instruments = self._agent, self._call.context, self._instruments
        attributes: AttributeSet = {} if agent.name is None else {AGENT_NAME: agent.name}
        record(instruments.inference_calls, agent.inference_calls.number, attributes, context)
        record(instruments.tool_calls, agent.tool_calls.number, attributes, context)


class CallOfAgent(Observer):
    """Counts one call for the agent that makes it.

    Args:
        call: the call.
        agent: the agent.
    """

    __slots__ = ("_agent", "_call")

    def __init__(self, call: CallState, agent: Agent) -> None:
        self._call = call
        self._agent = agent

    def started(self, request: Request) -> None:
        """Count the call, if it is one of a model or of a tool."""
        kind = self._call.kind
        if kind.name in INFERENCE:
            self._agent.inference_calls.add()
        elif kind is EXECUTE_TOOL or kind is MCP_TOOL_CALL:
            self._agent.tool_calls.add()
