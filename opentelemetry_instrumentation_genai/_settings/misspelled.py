"""Variables that look like ours and are not, which would otherwise have no effect without a word."""

from __future__ import annotations

import os
from difflib import get_close_matches
from typing import TYPE_CHECKING

from .._guard import say_once
from .._masking.masking import masked

if TYPE_CHECKING:
    from collections.abc import Collection

_NEAR = 0.75  # of `difflib`: two letters that changed places in a short word are nearer, and another word is farther
# What other packages read: `opentelemetry-util-genai`, also as vendors distribute it.
_OTHERS = frozenset({"UPLOAD_MAX_QUEUE_SIZE", "EMITTERS", "EVALUATORS", "SESSION_PROPAGATION"})
_FAMILIES = ("EMITTERS_", "EVALS_", "EVALUATION_", "EVALUATORS_")


def say_of_misspelled(prefix: str, known: Collection[str]) -> None:
    """Say once of each variable that is nearly one of the known ones, which it may be. What is near to none may be another's.

    Args:
        prefix: how the names begin.
        known: the names of all variables.
    """
    given = {name for name in os.environ if name.startswith(prefix)}.difference(known)
    if not given:
        return
    words = [name.removeprefix(prefix) for name in known if name.startswith(prefix)]
    for name in sorted(given):
        nearest = _nearest(name.removeprefix(prefix), words)
        if nearest is not None:
            say_once(
                "The environment variable %s is not known, and has no effect. Is it %s%s?",
                masked(name),
                prefix,
                nearest,
            )


def _nearest(word: str, words: Collection[str]) -> str | None:
    if word in _OTHERS or word.startswith(_FAMILIES):
        return None
    nearest = next(iter(get_close_matches(word.upper(), words, n=1, cutoff=_NEAR)), None)
    # A longer name, such as one for a provider, is a setting of somebody else.
    longer = nearest is not None and (word.startswith(f"{nearest}_") or word.endswith(f"_{nearest}"))
    return None if longer else nearest
