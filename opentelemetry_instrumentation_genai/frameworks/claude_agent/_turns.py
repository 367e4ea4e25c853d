"""A turn of the agent, from the prompt to the `ResultMessage`, with its tools: by the messages as the application reads them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._adapter.fields import items, member, members, string
from ..._application.agents import Agent, agent_in, within
from ..._operations.endpoints import TOOL
from ..._operations.framework_run import FrameworkRun
from ..._runtime.guard import guarded
from ._endpoints import AGENT_OF_SDK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from opentelemetry.context.context import Context

    from ..._signals.application import ApplicationSignals

RESULT_MESSAGE = "ResultMessage"
ASSISTANT_MESSAGE = "AssistantMessage"
_SUBAGENTS = ("Agent", "Task")  # the tools of the program that run one


def kind_of(message: object) -> str:
    """Return what a message, or a block of one, is: the name of its class."""
    return type(message).__name__


def is_of_subagent(message: object) -> bool:
    """Return whether a subagent has sent a message, rather than the agent itself."""
    return member(message, "parent_tool_use_id") is not None


class Turn(FrameworkRun):
    """One turn of the agent.

    Args:
        given: the input that the endpoint reads.
        used: the signals that record it.
        secrets: returns the credentials of the program, which a message of its failure may quote.
    """

    def __init__(
        self, given: Mapping[str, Any], used: ApplicationSignals, secrets: Callable[[], tuple[str, ...]]
    ) -> None:
        super().__init__(AGENT_OF_SDK, given, used, secrets=secrets)
        self._tools: dict[str, FrameworkRun] = {}
        self._subagents: dict[str, Context] = {}
        self._inferences: set[str] = set()

    @guarded
    def take(self, message: Any) -> None:
        """Take a message that the application reads."""
        if kind_of(message) == ASSISTANT_MESSAGE:
            self._answered_by(message)
        for block in items(message, "content"):
            kind = kind_of(block)
            if kind == "ToolUseBlock":
                self._begin_tool(block, self._context_of(message))
            elif kind == "ToolResultBlock":
                self._end_tool(block)

    @guarded
    def ended_by(self, result: Any, spent: Mapping[str, Any]) -> None:
        """Take the result of the turn.

        Args:
            result: the `ResultMessage`.
            spent: its usage and its cost.
        """
        own = {name: value for name, value in members(result).items() if value is not None and name != "usage"}
        self._response.update({**own, **spent})

    def _answered_by(self, message: Any) -> None:
        """Count the model call that a message is of: the program sends each block of its answer as a message."""
        identity, context = string(member(message, "message_id")), self._context_of(message)
        agent = None if context is None else agent_in(context)
        if agent is not None and identity is not None and identity not in self._inferences:
            self._inferences.add(identity)
            agent.inference_calls.add()
        if not is_of_subagent(message):
            self._response.update({name: member(message, name) for name in ("model", "session_id")})

    def _context_of(self, message: Any) -> Context | None:
        """Return the context of the agent, or of the subagent, that has sent a message."""
        return self._subagents.get(member(message, "parent_tool_use_id"), self.context)

    def _begin_tool(self, block: Any, context: Context | None) -> None:
        if context is None or block.id in self._tools:
            return
        given = {"type": "function", "name": block.name, "call_id": block.id, "arguments": block.input}
        self._tools[block.id] = tool = FrameworkRun(TOOL, given, self._used, secrets=self._secrets)
        tool.begin(context)
        subagent = string(member(block.input, "subagent_type"))
        if tool.context is not None and (subagent is not None or block.name in _SUBAGENTS):
            self._subagents[block.id] = within(Agent(subagent), tool.context)

    def _end_tool(self, block: Any) -> None:
        tool = self._tools.pop(block.tool_use_id, None)
        if tool is not None:
            if block.is_error:
                tool.failed()
            tool.finished(block.content)
            tool.end()

    @guarded
    def _end(self, error: BaseException | None) -> None:
        try:
            self._end_tools(error)
        finally:
            super()._end(error)

    @guarded
    def _end_tools(self, error: BaseException | None) -> None:
        """End the tools that have no result."""
        tools, self._tools, self._subagents = self._tools, {}, {}
        for tool in tools.values():
            tool.end(error)
