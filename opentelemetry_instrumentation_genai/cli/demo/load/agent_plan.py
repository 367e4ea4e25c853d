"""The runs of agents that requests of the load belong to: tools before the request, evaluations of the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from random import Random

_AGENTS = (("planner", 6), ("booker", 3), ("concierge", 1))
_TOOLS = (("get_timetable", 5), ("get_weather", 3), ("book_table", 1))
_GOOD = 0.6  # the relevance from which an answer passes


class PlannedTool(NamedTuple):
    """A tool that an agent executes.

    Attributes:
        name: its name.
        seconds: how long it takes.
        failing: whether it fails; the agent goes on without its result.
    """

    name: str
    seconds: float
    failing: bool


class PlannedRun(NamedTuple):
    """A run of an agent.

    Attributes:
        agent: its name.
        tools: what it executes before it asks the model.
        relevance: how the answer is scored, from 0 to 1; None if it is not.
        thumbs: what the user makes of it, `thumbs_up` or `thumbs_down`; empty if the user does not say.
    """

    agent: str
    tools: tuple[PlannedTool, ...]
    relevance: float | None
    thumbs: str

    @property
    def verdict(self) -> str:
        """The label of the relevance."""
        return "pass" if self.relevance is not None and self.relevance >= _GOOD else "fail"


def planned_run(random: Random) -> PlannedRun:
    """Return a run: with up to three tools, of which one in twelve fails."""
    names = random.choices([name for name, _ in _TOOLS], [share for _, share in _TOOLS], k=random.randrange(4))
    return PlannedRun(
        agent=random.choices([name for name, _ in _AGENTS], [share for _, share in _AGENTS])[0],
        tools=tuple(
            PlannedTool(name, round(min(random.lognormvariate(-2, 0.8), 3), 3), random.random() < 1 / 12)
            for name in names
        ),
        relevance=round(random.betavariate(7, 2), 2) if random.random() < 0.6 else None,
        thumbs=random.choices(("", "thumbs_up", "thumbs_down"), (6, 3, 1))[0],
    )
