"""A connection to the program that runs the agent: its turns, one after the other."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING, Any

from opentelemetry.context import get_current

from ..._adapter.fields import member, members, string
from ..._runtime.guard import guarded
from ..._signals.application import used_by
from ._totals import Totals
from ._turns import ASSISTANT_MESSAGE, RESULT_MESSAGE, Turn, is_of_subagent, kind_of

if TYPE_CHECKING:
    from opentelemetry.context.context import Context

# The variables of the environment by which the program uses another provider.
_PROVIDERS = {"CLAUDE_CODE_USE_BEDROCK": "aws.bedrock", "CLAUDE_CODE_USE_VERTEX": "gcp.vertex_ai"}
_OWN_VARIABLES = ("ANTHROPIC_", "AWS_", "CLAUDE_")
_HEADERS = "ANTHROPIC_CUSTOM_HEADERS"  # a `Name: value` in each line
_HARMLESS = ("_FILE", "_SESSION_ID", "_TOKENS", "_TTL_MS")
_OFF = ("", "0", "false", "no", "off")


class Connection:
    """One connection.

    Args:
        owner: the instrumentor; its settings count.
        options: of the SDK.
    """

    def __init__(self, owner: object, options: Any) -> None:
        self._owner = owner
        self._given = _of_options(options) or {}
        self._secrets = partial(_credentials, options)
        self._totals = Totals()
        self._turn: Turn | None = None
        self._interruption: BaseException | None = None

    def within(self, outer: Context) -> Context:
        """Return a context within the turn that goes on, if one does."""
        return outer if self._turn is None else self._turn.around(outer)

    @guarded
    def prompt(self, prompt: object = None) -> bool:
        """Begin a turn, unless one goes on, which takes the prompt in. Return whether it has begun.

        Args:
            prompt: what the application sends. What it sends piece by piece is not recorded.
        """
        used = used_by(self._owner)
        if self._turn is not None or used is None:
            return False
        turn = self._turn = Turn({**self._given, "prompt": prompt}, used, self._secrets)
        turn.begin(get_current())
        return True

    @guarded
    def read(self, message: Any) -> None:
        """Take a message that the application reads."""
        kind, self._interruption = kind_of(message), None
        if kind == "ConversationResetMessage":
            self._totals.reset()
        if kind in (ASSISTANT_MESSAGE, RESULT_MESSAGE) and not is_of_subagent(message):
            self.prompt()  # the program goes on by itself, or with a prompt that was sent in the turn before
        if self._turn is not None:
            self._turn.take(message)
        if kind == RESULT_MESSAGE:
            self._answer(message)

    @guarded
    def _answer(self, result: Any) -> None:
        turn, self._turn = self._turn, None
        spent = self._spent(result)
        if turn is not None:
            turn.ended_by(result, spent or {})
            turn.end()

    @guarded
    def _spent(self, result: Any) -> dict[str, Any]:
        return self._totals.since(result)

    @guarded
    def interrupted(self, error: BaseException) -> None:
        """Take an exception that has interrupted the reading: the application may read on."""
        self._interruption = error

    @guarded
    def end(self, error: BaseException | None = None) -> None:
        """End the turn that goes on.

        Args:
            error: the exception that ended it, if one did.
        """
        turn, self._turn = self._turn, None
        error, self._interruption = error or self._interruption, None
        if turn is not None:
            turn.end(error)


@guarded
def _of_options(options: Any) -> dict[str, Any]:
    """Return what is known of the agent before it runs."""
    given = {
        "provider": _provider(options),
        "model": string(member(options, "model")),
        "instructions": member(options, "system_prompt"),
    }
    return {name: value for name, value in given.items() if isinstance(value, str)}


def _provider(options: Any) -> str:
    own = dict(_own(options))
    for name, provider in _PROVIDERS.items():
        if str(own.get(name, os.environ.get(name, ""))).lower() not in _OFF:
            return provider
    return "anthropic"


def _own(options: Any) -> list[tuple[str, Any]]:
    """Return the variables of the program that the options set."""
    return [*members(member(options, "env")).items()]


def _credentials(options: Any) -> tuple[str, ...]:
    """Return the credentials in the environment of the program: those of the options, and those that it inherits."""
    from ..._masking.credentials import credentials_named

    inherited = ((name, value) for name, value in os.environ.items() if name.startswith(_OWN_VARIABLES))
    variables = (one for one in (*_own(options), *inherited) if all(isinstance(text, str) for text in one))
    return credentials_named(pair for name, value in variables for pair in _pairs(name, value))


def _pairs(name: str, value: str) -> list[tuple[str, str]]:
    """Return a variable as a pair; of the one with headers, these; of those that are no credentials by their endings, nothing."""
    if name == _HEADERS:
        return [(header, text) for header, _, text in (line.partition(":") for line in value.splitlines())]
    return [] if name.endswith(_HARMLESS) else [(name, value)]
