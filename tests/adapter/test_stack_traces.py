"""Stack traces of the exception event: no source line and no word without content capture, and no key with it.

An application's transports and hooks run within the SDK's call, so that their source lines are in its stack traces.
"""

from __future__ import annotations

import asyncio
import linecache
import sys
from collections.abc import Callable
from typing import Any

import anthropic
import ollama
import openai
import pytest

import opentelemetry_instrumentation_genai as genai
from contract.drive import settled
from loopback import ModelServer, Telemetry, anthropic_bodies, openai_bodies
from opentelemetry_instrumentation_genai._adapter import failure as errors

HI = {"model": "llama3.2", "messages": [{"role": "user", "content": "Hi"}]}
KEY = "sk-proj-hardCoded12345678"


def hard_coded() -> None:
    """As applications have it: the key stands in the line that fails."""
    connect(api_key="sk-proj-hardCoded12345678", password="Tr0ub4dor&3xyz")


def connect(**_settings: str) -> None:
    """Fail because of something else, with a cause and a context that both quote the key."""
    try:
        try:
            raise KeyError(KEY)
        except KeyError:
            raise ValueError(f"said: the prompt, {KEY}")  # noqa: B904 - the context is what is looked at
    except ValueError as error:
        raise LookupError(f"said: more, {KEY}") from error


async def chat(client: Any) -> None:
    """OpenAI's."""
    await settled(client.chat.completions.create(**openai_bodies.CHAT))


async def message(client: Any) -> None:
    """Anthropic's."""
    await settled(client.messages.create(**anthropic_bodies.MESSAGES))


async def llama(client: Any) -> None:
    """Ollama's."""
    await settled(client.chat(**HI))


async def llama_stream(client: Any) -> None:
    """Ollama's, streamed."""
    stream = await settled(client.chat(**HI, stream=True))
    if hasattr(stream, "__aiter__"):
        async for _ in stream:
            pass
    else:
        list(stream)


SDKS: dict[str, tuple[type, type, type, Callable[[Any], Any]]] = {
    "openai": (genai.OpenAIInstrumentor, openai.OpenAI, openai.AsyncOpenAI, chat),
    "anthropic": (genai.AnthropicInstrumentor, anthropic.Anthropic, anthropic.AsyncAnthropic, message),
    "ollama": (genai.OllamaInstrumentor, ollama.Client, ollama.AsyncClient, llama),
    "ollama stream": (genai.OllamaInstrumentor, ollama.Client, ollama.AsyncClient, llama_stream),
}


@pytest.fixture(params=SDKS)
def sdk(request) -> str:
    """One of the SDKs."""
    name: str = request.param
    return name


def fail_within(sdk: str, server: ModelServer, *, asynchronous: bool) -> None:
    """A call with a failing hook of the application in its HTTP client."""
    _, plain, async_plain, call = SDKS[sdk]

    def fail(_request: Any) -> None:
        hard_coded()

    async def fail_later(_request: Any) -> None:
        hard_coded()

    async def made() -> None:
        kind = async_plain if asynchronous else plain
        if sdk.startswith("ollama"):
            client = kind(host=server.url, verify=False)
        else:
            url = f"{server.url}/v1" if sdk == "openai" else server.url
            client = kind(base_url=url, api_key="openai", max_retries=0)
        client._client.event_hooks = {"request": [fail_later if asynchronous else fail]}
        try:
            with pytest.raises((LookupError, openai.APIConnectionError, anthropic.APIConnectionError)):
                await call(client)
        finally:
            await settled(client._client.aclose() if asynchronous else client._client.close())

    if asynchronous:
        asyncio.run(made())
    else:
        with pytest.raises(StopIteration):
            made().send(None)


def trace_of(telemetry: Telemetry) -> str:
    """The stack trace of the one exception event."""
    (event,) = [event for event in telemetry.events if event.event_name == "gen_ai.client.operation.exception"]
    trace: str = event.attributes["exception.stacktrace"]
    return trace


@pytest.mark.parametrize("asynchronous", [False, True])
def test_without_content_a_stack_trace_has_no_source_line(server, telemetry, sdk, asynchronous):
    """Files, lines, functions and types of the whole chain; no line of code, no message, no key."""
    SDKS[sdk][0]().instrument(**telemetry.providers)

    fail_within(sdk, server, asynchronous=asynchronous)

    trace = trace_of(telemetry)
    hook = "fail_later" if asynchronous else "fail"
    assert f'  File "{__file__}", line {_line(hook)}, in {hook}\n  File "{__file__}", line ' in trace
    for line in trace.splitlines():
        assert not line.startswith("    ")
    for kind in ("KeyError: KeyError", "ValueError: ValueError", "LookupError: LookupError"):
        assert f"\n{kind}\n" in trace
    for word in ("hardCoded", "Tr0ub4dor", "said", "api_key", "raise "):
        assert word not in trace
    assert "/openai/" in trace or sdk != "openai"  # the placeholder that is the client's key


@pytest.mark.parametrize("asynchronous", [False, True])
def test_with_content_source_lines_are_there_without_keys(server, telemetry, sdk, asynchronous):
    """What was captured anyway may be quoted; keys and passwords are masked in lines of code and in messages."""
    SDKS[sdk][0]().instrument(**telemetry.providers, capture_message_content=True)

    fail_within(sdk, server, asynchronous=asynchronous)

    trace = trace_of(telemetry)
    assert "    connect(api_key=" in trace
    assert "ValueError: said: the prompt, [secrets]\n" in trace
    for word in ("hardCoded", "Tr0ub4dor"):
        assert word not in trace


def _line(function: str) -> int:
    """The line within this file at which the hook calls what fails."""
    constants: Any = fail_within.__code__.co_consts
    (code,) = [constant for constant in constants if getattr(constant, "co_name", None) == function]
    line: int = code.co_firstlineno + 1
    return line


# What the chain of an exception can be made of.


def raised(error: BaseException) -> BaseException:
    """The same, with a stack."""
    try:
        raise error
    except BaseException as caught:
        return caught


def traces(error: BaseException) -> tuple[str, str]:
    """Its stack trace without content, and with it."""
    failure = errors.raised(error, ("hunter2",))
    plain, full = failure.attributes(), failure.attributes(str)
    return str(plain["exception.stacktrace"]), str(full["exception.stacktrace"])


@pytest.mark.skipif(sys.version_info < (3, 11), reason="notes and groups are new in Python 3.11")
def test_notes_and_members_of_groups():
    """Notes are recorded with content only; the members of a group with both, each with its own causes."""
    member = ValueError(f"inner {KEY}")
    member.__cause__ = OSError(f"cause {KEY}")
    group = raised(ExceptionGroup("outer words", [raised(member), KeyError("other")]))  # noqa: F821 - Python 3.11
    group.add_note(f"a note, {KEY}, hunter2")

    plain, full = traces(group)

    assert "note" not in plain
    assert "words" not in plain
    assert "inner" not in plain
    assert "\nExceptionGroup: ExceptionGroup\n" in plain
    assert "  | ValueError: ValueError\n" in plain
    assert "  | OSError: OSError\n" in plain
    assert "  +---------------- 2 ----------------\n" in plain
    assert "\na note, [secrets], [secrets]\n" in full
    assert "  | ValueError: inner [secrets]\n" in full
    assert "  | OSError: cause [secrets]\n" in full
    assert "hardCoded" not in plain + full


def test_the_text_of_a_syntax_error():
    """The line that could not be parsed is nowhere."""
    with pytest.raises(SyntaxError) as caught:
        compile(f"key = '{KEY}' +", "made_up.py", "exec")

    plain, full = traces(caught.value)

    assert "\nSyntaxError: SyntaxError\n" in plain
    assert "SyntaxError: invalid syntax" in full
    assert "hardCoded" not in plain + full


def test_a_context_that_is_suppressed():
    """`from None` leaves it out, as Python does."""
    try:
        try:
            raise KeyError("first")
        except KeyError:
            raise ValueError("second") from None
    except ValueError as error:
        plain, full = traces(error)

    assert "KeyError" not in plain + full


def test_code_that_was_made_at_run_time():
    """Its file may be called anything: keys in that name are masked as well, and it is cut."""
    code = compile("def outer():\n    raise ValueError\n", f"<{KEY} {'long' * 999}>", "exec")
    made: dict[str, Any] = {}
    exec(code, made)
    with pytest.raises(ValueError) as caught:
        made["outer"]()

    plain, full = traces(caught.value)

    assert ", in outer\n" in plain
    assert ", in outer\n" in full
    assert "hardCoded" not in plain + full
    assert len(plain) < 2_000


@pytest.mark.parametrize("length", range(1000, 1060, 5))
@pytest.mark.parametrize(
    ("before", "secret"),
    [
        ("", "sk-proj-hardCoded12345678"),
        ("password=", "Tr0ub4dor3xyz"),
        ("", "ghp_16C7e42F292c6912E7710c838347Ae178B4a"),
        ("", "hunter2"),
    ],
)
def test_a_secret_at_the_cut_of_a_source_line(before, secret, length):
    """A long line, note or file name is masked before it is cut, so that no part of a secret stays at its end."""
    long = f"{'x ' * (length // 2)}{before}{secret} {'z ' * 9999}"
    name = f"<{long}>"
    source = f"def outer(): raise ValueError  # {long[32:]}\n"
    made: dict[str, Any] = {}
    linecache.cache[name] = (len(source), None, [source], name)
    exec(compile(source, name, "exec"), made)
    with pytest.raises(ValueError) as caught:
        made["outer"]()
    caught.value.__dict__["__notes__"] = [long]

    plain, full = traces(caught.value)

    del linecache.cache[name]
    assert "def outer(): raise ValueError" in full
    assert "def outer" not in plain
    # A word as short as the last one is left in paths, which have such words of their own.
    lines = [line for line in (plain + full).splitlines() if not (secret == "hunter2" and line.startswith("  File "))]
    for part in (secret[:6], secret[-6:]):
        assert part not in "\n".join(lines)
    assert len(full) < 6_000


def test_a_stack_trace_is_bounded():
    """Of a deep recursion and of a long chain, however they came about."""

    def deeper(left: int) -> None:
        if left == 0:
            raise ValueError
        deeper(left - 1)

    with pytest.raises(ValueError) as caught:
        deeper(600)
    error: BaseException = caught.value
    for _ in range(99):
        error, earlier = raised(LookupError()), error
        error.__cause__ = earlier

    plain, full = traces(error)

    assert 16 == plain.count("\nLookupError: ")
    assert 16 == full.count("\nLookupError: ")
    deep, _ = traces(caught.value)
    assert 64 == deep.count("  File ")
    assert deep.endswith("ValueError: ValueError\n")
