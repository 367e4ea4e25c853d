"""Times that a server reports: Ollama in every response, llama.cpp in those of its OpenAI-compatible endpoints."""

from __future__ import annotations

from typing import NamedTuple


class Timings(NamedTuple):
    """The times that a server measured, in seconds; None where it reports none.

    Attributes:
        request: `gen_ai.server.request.duration`, from the request to the last token.
        first_token: `gen_ai.server.time_to_first_token`, from the request to the first token.
        per_token: `gen_ai.server.time_per_output_token`, for each token after the first.
    """

    request: float | None
    first_token: float | None
    per_token: float | None


def timings(
    request: float | None, before: float | None, generating: float | None, tokens: int | None
) -> Timings | None:
    """Return the timings of a server, which measures until it has the first token, and from there to the last one.

    Args:
        request: seconds from the request to the last token.
        before: seconds to the first token: waiting, loading the model, reading the prompt.
        generating: seconds from the first token to the last one.
        tokens: how many tokens there are, the first included.

    Returns:
        The timings, None if nothing is known.
    """
    first_token = before if tokens else None
    per_token = generating / (tokens - 1) if generating is not None and tokens and tokens > 1 else None
    known = Timings(request, first_token, per_token)
    return None if known == _NOTHING else known


_NOTHING = Timings(None, None, None)
