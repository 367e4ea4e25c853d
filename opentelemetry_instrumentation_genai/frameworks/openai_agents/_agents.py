"""What is known of an agent: its description, its model and its instructions, by the agent that the run was started with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..._adapter.fields import member, string

if TYPE_CHECKING:
    from collections.abc import Iterator


def described(known: Any, name: str) -> tuple[Any, dict[str, Any]]:
    """Return the agent of a name, and what its operation is given.

    Args:
        known: the agent that had its turn before; None if none is known.
        name: of the agent that has its turn.

    Returns:
        The agent, or what was given where it is not known, and the input that an endpoint reads.
    """
    agent = next((one for one in _near(known) if member(one, "name") == name), None)
    if agent is None:
        return known, {"name": name}
    given = {
        "name": name,
        "description": string(member(agent, "handoff_description")),
        "instructions": string(member(agent, "instructions")),
        "model": model_of(agent),
    }
    return agent, {key: value for key, value in given.items() if value is not None}


def model_of(source: Any) -> str | None:
    """Return the name of the model that an agent, or the configuration of a run, names; None if it names none.

    Args:
        source: what has a member `model`, which is a name, or a model that has a name.
    """
    model = member(source, "model")
    return string(model) or string(member(model, "model"))


def _near(agent: Any) -> Iterator[Any]:
    """Yield an agent, and those that it hands off to."""
    if agent is None:
        return
    yield agent
    for handoff in member(agent, "handoffs") or ():
        reference = member(handoff, "_agent_ref")
        yield reference() if callable(reference) else handoff
