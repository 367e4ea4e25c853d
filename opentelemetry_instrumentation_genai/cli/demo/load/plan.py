"""The requests of a seed: the same ones at the same times, whatever happens to them."""

from __future__ import annotations

from collections import Counter
from random import Random
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from ..server.plan import Plan
from .agent_plan import planned_run
from .faults import shares_with

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .agent_plan import PlannedRun

_Name = TypeVar("_Name", bound=str)

_MODELS = {
    "openai": (("gpt-4.1-mini", 5), ("gpt-5-mini", 3), ("text-embedding-3-small", 2)),
    "anthropic": (("claude-sonnet-5-5", 1),),
    "ollama": (("llama3.2", 1),),
}
_SHARES = {"openai": 6, "anthropic": 3, "ollama": 1}
_TENANTS = (("acme", 5), ("globex", 3), ("initech", 2))
_TEAMS = (("search", 5), ("support", 3), ("marketing", 2))
_QUESTIONS = ("Where should we go in May?", "And if it rains?", "What should we pack?", "Where is the best pastry?")
_LONGEST = 8.0  # seconds of latency
IMPATIENT = 0.05
"""Seconds after which the client of a `late` answer gives up."""
_ENDING = 0.2  # of the requests begin another conversation
ENDLESS = "endless"
"""The conversation that does not end, if there is one."""
TRUNCATED = 5
"""The limit of tokens of an answer that is truncated."""


class Planned(NamedTuple):
    """A request of the load.

    Attributes:
        after: when it is sent, in the mean time between two requests, since the one before.
        sdk: by which SDK.
        model: to which model.
        tenant: for which tenant.
        team: by which team's part of the application.
        user: for which user of it.
        question: what is asked.
        streamed: whether the answer is streamed.
        truncated: whether the answer is limited to so few tokens that it is cut.
        missing: whether the model does not exist.
        plan: what the server does with it.
        conversation: the conversation that it belongs to.
        run: the run of an agent that it belongs to; None if it is no agent's.
    """

    after: float
    sdk: str
    model: str
    tenant: str
    team: str
    user: str
    question: str
    streamed: bool
    truncated: bool
    missing: bool
    plan: Plan
    conversation: str
    run: PlannedRun | None


def planned(seed: int, sdks: Sequence[str], faults: Sequence[str] = ()) -> Iterator[Planned]:
    """Return the requests of a seed, without end.

    Args:
        seed: any number; the same one gives the same requests.
        sdks: the SDKs that are installed, of `openai`, `anthropic` and `ollama`.
        faults: what goes wrong with more of them than usually, by the names of `faults.FAULTS`.
    """
    shares, conversations = shares_with(faults), Conversations()
    random = Random(seed)  # noqa: S311 - it is to be repeated
    around = Random(f"{seed} around")  # noqa: S311 - as above; what it decides leaves the requests as they are
    known = [sdk for sdk in _SHARES if sdk in sdks]
    while True:
        sdk = random.choices(known, [_SHARES[sdk] for sdk in known])[0]
        tenant = _choice(random, _TENANTS)
        model = _choice(random, _MODELS[sdk])
        has_tokens = not model.startswith("text-embedding")
        latency = min(random.lognormvariate(-1.2, 0.7) * shares.slower, _LONGEST)
        cached = random.choice((16, 32)) if random.random() < shares.cached else 0
        # The client of Ollama sends no header of a call: its server answers at its own pace.
        plan = Plan(round(latency, 3), cached, _choice(random, shares.failing)) if sdk != "ollama" else Plan()
        yield Planned(
            after=random.expovariate(1.0),
            sdk=sdk,
            model=model,
            tenant=tenant,
            team=_choice(around, _TEAMS),
            user=f"{tenant}-{random.randrange(20)}",
            question=random.choice(_QUESTIONS),
            streamed=random.random() < 0.4 and has_tokens,
            truncated=random.random() < shares.truncated and has_tokens,
            missing=random.random() < 0.01,
            plan=plan,
            conversation=conversations.next(around, tenant, shares.endless),
            run=planned_run(around) if around.random() < 0.25 and has_tokens else None,
        )


class Conversations:
    """The conversations of the load: of each tenant some at a time, each with a few requests, after which another one begins."""

    def __init__(self) -> None:
        self._begun: Counter[str] = Counter()

    def next(self, random: Random, tenant: str, endless: float) -> str:
        """Return the conversation of the next request.

        Args:
            random: decides.
            tenant: whose conversation it is.
            endless: the share of requests that belong to one conversation that does not end.
        """
        place = f"{tenant}-{random.randrange(40)}"
        self._begun[place] += random.random() < _ENDING
        return ENDLESS if random.random() < endless else f"{place}-{self._begun[place]}"


def _choice(random: Random, weighted: Sequence[tuple[_Name, int]]) -> _Name:
    return random.choices([name for name, _ in weighted], [weight for _, weight in weighted])[0]
