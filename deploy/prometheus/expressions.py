"""Expressions over the series of the plugin, the same for both generations of the names.

A metric has another name in the latest generation of the conventions. An expression here is the rate of the one name, or, where that does
not exist with the same labels, of the other: services of either generation are in it, and one that sends both (`/dup`) counts once. The
recording rules are made of these, so that alerts and boards use one name, whatever an application has set.

- Durations: the same labels in both, so that `or` finds the twins by itself.
- Tokens: one histogram with `gen_ai_token_type` in v1.41, two without it in the latest one, which gets it here; the service tier of OpenAI
  is on the first alone, and is summed away before they are compared.
"""

from __future__ import annotations

SERVICE = "deployment_environment_name, service_name"
"""The labels of a service: what people run, and where."""
MODEL = f"{SERVICE}, gen_ai_provider_name, gen_ai_request_model"
"""The labels of a model at a provider, as a service uses it."""
TEAM = "gen_ai_tag_team"

# Calls of models, not what the application does itself, such as a retrieval.
CALLS = 'gen_ai_provider_name!=""'


def duration(part: str, by: str, window: str, matchers: str = CALLS) -> str:
    """Return the rate of calls, or of a part of the histogram of how long they took.

    Args:
        part: `count`, `sum` or `bucket`.
        by: the labels that stay.
        window: of the rate.
        matchers: of the series.
    """
    return _either(
        f"gen_ai_client_operation_duration_seconds_{part}",
        f"gen_ai_client_inference_duration_seconds_{part}",
        by,
        f"{{{matchers}}}[{window}]",
    )


def first_chunk(part: str, by: str, window: str, offset: str = "") -> str:
    """Return the rate of streams, or of a part of the histogram of the time to their first chunk.

    Args:
        part: `count`, `sum` or `bucket`.
        by: the labels that stay.
        window: of the rate.
        offset: how long ago, such as `1w`.
    """
    return _either(
        f"gen_ai_client_operation_time_to_first_chunk_seconds_{part}",
        f"gen_ai_client_inference_time_to_first_chunk_seconds_{part}",
        by,
        f"[{window}]{f' offset {offset}' if offset else ''}",
    )


def _either(one: str, other: str, by: str, rest: str) -> str:
    return f"sum by ({by}) (\n  rate({one}{rest})\n  or\n  rate({other}{rest})\n)"


def tokens(function: str, by: str, window: str, matchers: str = "") -> str:
    """Return the tokens of input and output, those of a cache among them.

    Args:
        function: `rate` or `increase`.
        by: the labels that stay; `gen_ai_token_type` tells them apart.
        window: of the function.
        matchers: of the series.
    """
    chosen = f"{{{matchers}}}[{window}]"
    usage = f"sum without (openai_response_service_tier) ({function}(gen_ai_client_token_usage_sum{chosen}))"
    later = (
        f'label_replace({function}(gen_ai_client_inference_operation_{kind}_tokens_sum{chosen}), "gen_ai_token_type", "{kind}", "", "")'
        for kind in ("input", "output")
    )
    inner = "\n  or\n  ".join((usage, *later))
    return f"sum by ({by}) (\n  {inner}\n)"


def input_tokens(by: str, window: str) -> str:
    """Return the rate of the tokens of input, those of a cache among them.

    Args:
        by: the labels that stay.
        window: of the rate.
    """
    usage = f'rate(gen_ai_client_token_usage_sum{{gen_ai_token_type="input"}}[{window}])'
    return (
        f"sum by ({by}) (\n  sum without (openai_response_service_tier, gen_ai_token_type) ({usage})\n  or\n"
        f"  rate(gen_ai_client_inference_operation_input_tokens_sum[{window}])\n)"
    )


def share(part: str, whole: str) -> str:
    """Return a part of a whole, 0 where there is nothing of it; nothing where there is no whole.

    Args:
        part: the part.
        whole: the whole, with the same labels.
    """
    return f"(\n{_indented(part)}\n  or\n  0 * {_indented(whole).lstrip()}\n)\n/\n(\n{_indented(whole)}\n  > 0\n)"


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
