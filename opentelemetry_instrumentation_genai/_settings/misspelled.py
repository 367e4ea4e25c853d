"""Warnings for misspelled environment variables, which would otherwise have no effect without notice."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .._runtime.guard import warn_once

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

_NEAR = 0.75  # ratio of `difflib`: two swapped letters in a short word are above it, a different word is below
# Variables that other packages read: `opentelemetry-util-genai`, also as vendors distribute it.
_OTHERS = frozenset({"UPLOAD_MAX_QUEUE_SIZE", "EMITTERS", "EVALUATORS", "SESSION_PROPAGATION"})
_FAMILIES = ("EMITTERS_", "EVALS_", "EVALUATION_", "EVALUATORS_")


def warn_of_misspelled(prefix: str, known: Collection[str], present: Iterable[str]) -> None:
    """Log a warning once for each unknown variable with a name near a known one. Any other may belong to another package.

    Args:
        prefix: the prefix of the names.
        known: the names of all our variables.
        present: the names of those that are set.
    """
    for name, nearest in misspelled(prefix, known, present):
        from .._masking.masking import masked

        warn_once("The environment variable %s is not known, and has no effect. Is it %s?", masked(name), nearest)


def misspelled(prefix: str, known: Collection[str], present: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield each unknown variable with a name near a known one, and that one.

    Args:
        prefix: the prefix of the names.
        known: the names of all our variables.
        present: the names of those that are set.
    """
    given = {name for name in present if name.startswith(prefix)}.difference(known)
    if not given:
        return
    words = [name.removeprefix(prefix) for name in known if name.startswith(prefix)]
    for name in sorted(given):
        nearest = _nearest(name.removeprefix(prefix), words)
        if nearest is not None:
            yield name, prefix + nearest


def _nearest(word: str, words: Collection[str]) -> str | None:
    if word in _OTHERS or word.startswith(_FAMILIES):
        return None
    from difflib import get_close_matches

    nearest = next(iter(get_close_matches(word.upper(), words, n=1, cutoff=_NEAR)), None)
    # A longer name, such as one for a provider, is a setting of another package.
    longer = nearest is not None and (word.startswith(f"{nearest}_") or word.endswith(f"_{nearest}"))
    return None if longer else nearest
