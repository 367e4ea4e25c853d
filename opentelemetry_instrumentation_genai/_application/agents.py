"""The agent that runs in a context: its name, and how many calls it has made itself."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from opentelemetry import context as otel_context

if TYPE_CHECKING:
    from opentelemetry.context.context import Context

_KEY = "opentelemetry_instrumentation_genai.agent"


class Calls:
    """A count that several threads may add to."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.number = 0

    def add(self) -> None:
        """Add one."""
        with self._lock:
            self.number += 1


class Agent:
    """One run of an agent.

    Args:
        name: its name; None if it has none.

    Attributes:
        name: as given.
        inference_calls: the calls of models that it makes itself, those that fail included.
        tool_calls: the tools that it executes itself.
    """

    def __init__(self, name: str | None) -> None:
        self.name = name
        self.inference_calls = Calls()
        self.tool_calls = Calls()


def agent_in(context: Context) -> Agent | None:
    """Return the innermost agent that runs in a context; None outside of agents."""
    agent = context.get(_KEY)
    return agent if isinstance(agent, Agent) else None


def within(agent: Agent, context: Context) -> Context:
    """Return a context in which an agent runs."""
    return otel_context.set_value(_KEY, agent, context)
