"""What an error says in telemetry: the provider's code, no key, and no content unless it is wanted."""

from __future__ import annotations

from typing import Any

import pytest

from opentelemetry_instrumentation_genai._adapter import failure as errors


class ProviderError(Exception):
    """As an SDK's."""

    def __init__(self, message: str = "said: the prompt", **members: Any) -> None:
        super().__init__(message)
        vars(self).update(members)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ProviderError(code="rate_limit_exceeded"), "rate_limit_exceeded"),
        (ProviderError(code=None, type="invalid_request_error"), "invalid_request_error"),
        (ProviderError(code="429", type="server_error"), "server_error"),
        (ProviderError(code=429), f"{__name__}.ProviderError"),
        (ProviderError(code="a text about it", type=["odd"]), f"{__name__}.ProviderError"),
        (ProviderError(code="x" * 65), f"{__name__}.ProviderError"),
        (ProviderError(code="line\nbreak"), f"{__name__}.ProviderError"),
        (ProviderError(code="ends\n"), f"{__name__}.ProviderError"),
        (ProviderError(), f"{__name__}.ProviderError"),
        (TimeoutError(), "TimeoutError"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_error_type_is_a_code_in_words_or_the_class(error: BaseException, expected: str) -> None:
    """Few values only: no sentence, no number, no status."""
    assert expected == errors.raised(error).error_type


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("server_error", "server_error"),
        (None, "error"),
        (502, "502"),
        ("502", "502"),
        (502.0, "502"),
        (True, "error"),
        (10**6, "error"),
        ("1234567", "error"),
        ("a sentence", "error"),
        ("", "error"),
    ],
)
def test_a_reported_failure_has_a_type(code: Any, expected: str) -> None:
    """The provider's code, if it is a word, else its number as text."""
    assert expected == errors.reported(code, "message").error_type


@pytest.mark.parametrize(
    ("failure", "expected"),
    [
        (errors.raised(ProviderError(code="rate_limit_exceeded")), "rate_limit_exceeded"),
        (errors.raised(ProviderError(code="req-8f1c2a77b3")), f"{__name__}.ProviderError"),
        (errors.raised(ProviderError(code="E1042")), f"{__name__}.ProviderError"),
        (errors.raised(ProviderError(code="openai.RateLimit")), f"{__name__}.ProviderError"),
        (errors.raised(TimeoutError()), "TimeoutError"),
        (errors.reported("overloaded_error", None), "overloaded_error"),
        (errors.reported(502, None), "502"),
        (errors.reported(123456, None), "error"),
        (errors.reported("req-8f1c2a77b3", None), "error"),
    ],
    ids=lambda value: getattr(value, "error_type", None),
)
def test_error_type_on_metrics_is_bounded(failure: errors.Failure, expected: str) -> None:
    """A code of letters and underscores or a short number, else the exception's name, whatever a server sends."""
    assert expected == failure.measured


def test_without_content_nothing_is_quoted() -> None:
    """Neither in the message, nor in the stack trace, nor from the cause."""
    quoting = "it quotes the prompt"
    try:
        raise ProviderError(quoting, status_code=400) from ValueError(quoting)
    except ProviderError as error:
        failure = errors.raised(error)
    attributes = failure.attributes()
    assert quoting not in repr(attributes) + failure.description()
    assert "ProviderError 400" == attributes["exception.message"]


def test_with_content_the_message_is_quoted() -> None:
    """As the exception has it."""
    attributes = errors.raised(ProviderError("said: the prompt")).attributes(str)
    assert "said: the prompt" == attributes["exception.message"]
    assert "said: the prompt" in attributes["exception.stacktrace"]


KEYS = [
    "sk-proj-abcdEFGH12345678",
    "sk-abcd****************************5678",
    "sk_live_12345678abcdefgh",
    "gsk_12345678abcdefgh",
    "xai-12345678abcdefgh",
    "pplx-12345678abcdefgh",
    "hf_12345678abcdefgh",
    "AIzaSyA-12345678abcdefgh",
    "Bearer eyJhbGciOiJI.12345678.abcdefgh",
]


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("sentence", ["Incorrect API key provided: {}.", "{}", "key={}", "'{}' is wrong"])
def test_no_key_is_quoted(key: str, sentence: str) -> None:
    """Providers quote the key that they refuse, in a form of their own; with content it stays out all the same."""
    attributes = errors.raised(ProviderError(sentence.format(key))).attributes(str)
    assert "12345678" not in repr(attributes)
    assert "5678" not in repr(attributes)
    assert "5678" not in errors.reported("code", sentence.format(key)).quoting


@pytest.mark.parametrize("key", ["k", "x", "proj", "length", "EMPTY", "tokens", "1234", ""])
def test_a_placeholder_as_the_clients_key(key: str) -> None:
    """It is masked where it stands by itself; what has it within stays, and the keys of others are found all the same."""
    message = "Unknown key sk-proj-abcdEFGH12345678: max_tokens exceeds the limit, EMPTY"
    expected = f"Unknown key [secrets]: max_tokens exceeds the limit, {'[secrets]' if key == 'EMPTY' else 'EMPTY'}"
    assert expected == errors.raised(ProviderError(message), (key,)).quoting


# The client's own key, the message of a server, and what of it is recorded.
OWN = [
    ("team-one", "no team-one here", "no [secrets] here"),
    ("team-one", "'team-one', team-one.", "'[secrets]', [secrets]."),
    ("team-one", "team-ones and steam-one", "team-ones and steam-one"),
    ("team-one", r'{"bad": "\nteam-one\n"}', r'{"bad": "\n[secrets]\n"}'),
    ("correct horse battery", "acorrect horse batteryb", "a[secrets]b"),
    ("my-token", "my-token=abcdefghijk12", "[secrets]=[secrets]"),
    ("Tr0ub4dor&3-horse!", "key=Tr0ub4dor&3-horse! is wrong", "key=[secrets] is wrong"),
    ("horsebattery", "horsebat*****tery, ****tery, hors...", "[secrets], [secrets], [secrets]"),
    ("horsebattery", "ho...tery, h*r, horses... and so on", "[secrets], h*r, horses... and so on"),
]


@pytest.mark.parametrize(("key", "message", "expected"), OWN)
def test_the_clients_own_key(key: str, message: str, expected: str) -> None:
    """It is masked as a word, in whole or with its middle hidden; what a rule finds by words of the key is, too."""
    assert expected == errors.raised(ProviderError(message), (key,)).quoting
    assert expected == errors.reported("code", message).with_secrets_masked((key,)).quoting


@pytest.mark.parametrize("code", ["teamkeyone", "team_one_2"])
def test_no_error_type_is_the_clients_own_key(code: str) -> None:
    """Where a server echoes it as a code."""
    assert f"{__name__}.ProviderError" == errors.raised(ProviderError(code=code), (code,)).error_type
    assert code == errors.raised(ProviderError(code=code), ("another",)).error_type


@pytest.mark.parametrize(
    "message",
    [
        "Incorrect API key provided.",
        "The key is not unique: primary-key constraint.",
        "A key-value store is not a table.",
        "The task-runner asked for risk-free work.",
        "Unknown parameter: 'temprature'.",
    ],
)
def test_words_are_left_as_they_are(message: str) -> None:
    """What looks like no key is none."""
    assert message == errors.raised(ProviderError(message)).quoting


@pytest.mark.parametrize("message", ["\ud800", "", "x" * 100_000])
def test_any_message_can_be_recorded(message: str) -> None:
    """Also one that UTF-8 cannot carry."""
    for value in errors.raised(ProviderError(message)).attributes(str).values():
        value.encode("utf-8")


def test_a_circle_of_causes_ends() -> None:
    """An exception may be its own cause, at a distance too."""
    one, other = ProviderError("one"), ProviderError("other")
    one.__cause__, other.__cause__ = other, one
    assert errors.raised(one).attributes(str)["exception.stacktrace"]


def test_an_exception_that_cannot_say_what_it_is() -> None:
    """Its telemetry does not fail with it."""

    class Mute(Exception):  # noqa: N818 - it is one
        def __str__(self) -> str:
            raise RuntimeError("not me")

    assert "Mute" in errors.raised(Mute()).error_type
