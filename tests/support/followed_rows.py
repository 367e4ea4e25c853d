"""Every row of the contract as a call to be struck, with all settings that make our code read, price and hand on what it is given."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bedrock_calls import EXCHANGES, whole_of
from contract import SYNC, VARIANTS, Client, Row, Variant
from contract.providers import PROVIDERS
from followed_calls import ALL, CHAT, Clients, Followed
from loopback import Json
from loopback.openai_bodies import completion
from opentelemetry_instrumentation_genai import (
    CallReference,
    capture_content,
    current_call,
    execute_tool,
    genai_context,
    invoke_agent,
    invoke_workflow,
    record_evaluation,
    retrieval,
    step,
)

# One way to read each style, and one for each kind of body that is not parsed by the SDK.
READ = (
    "plain",
    "stream",
    "raw",
    "streaming-iter_lines-stream",
    "generator",
    "by-hand",
    "by-hand-stream",
    "helper",
    "bytes-plain",
    "bytes-raw",
    "bytes-read",
    "lines",
)
EVERYTHING: dict[str, Any] = {
    **ALL,
    "prices": "billed,genai-prices",
    "user_id_key": "a key of sixteen characters",
    "baggage": "session.id",
    "metric_attributes": "team",
}


SECRETS = """password=Tr0ub4dor&3xyz#9Z, api_key: "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD", {"token": "ghp_16C7e42F292c6912E7710c838347Ae178B4a"}
Call +49 30 901820 or 030 901820, write to ada@example.com, https://ada:s3cr3t@example.com/?token=abcdefgh12345678, 4111 1111 1111 1111,
DE89 3704 0044 0532 0130 00, 192.168.2.17, 2001:db8::8a2e:370:7334; AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
| user | password |
|------|----------|
| ada  | hunter2! |
{\\"password\\": \\"Tr0ub4dor\\"} Authorization: Basic YWRhOnMzY3IzdA== <password>x7K!pq</password>
"""


@contextmanager
def rows(url: str) -> Iterator[list[Followed]]:
    """The rows of all providers, each in the variants that it has.

    Args:
        url: of the model server.
    """
    made = {provider.name: provider.clients[0].make(SYNC, url) for provider in PROVIDERS}
    yield list(_rows(made))
    for client in made.values():
        getattr(client, "_client", client).close()


def _rows(clients: Mapping[str, Any]) -> Iterator[Followed]:
    for provider in PROVIDERS:
        client, made = provider.clients[0], clients[provider.name]
        for row in provider.rows:
            for variant in VARIANTS:
                if (
                    variant.id in READ
                    and variant.fits(row)
                    and not row.missing(made, variant.access, stream=variant.stream)
                ):
                    yield _followed(provider.name, client, made, row, variant)


def _followed(sdk: str, client: Client, made: Any, row: Row, variant: Variant) -> Followed:
    reply = row.reply(stream=variant.stream)
    assert reply is not None

    def make(_clients: Clients) -> Any:
        keywords = row.keywords(made, stream=variant.stream)
        method = row.find(made, variant.access)
        assert method is not None
        with genai_context(user_id="u", tags={"team": "a"}), capture_content("span_and_event"):
            try:
                return SYNC.run(variant.read(lambda: method(**keywords)))
            except Exception as error:  # what the SDK makes of an answer
                return type(error), str(error)

    return Followed(f"{row.id}, {variant.id}", sdk, client.answers(reply), make, EVERYTHING)


def _decorated(clients: Clients) -> Any:
    """A function, a generator, a coroutine function and an asynchronous generator that ask, each in blocks of their own."""

    def ask() -> Any:
        return clients.openai.chat.completions.create(**CHAT).model_dump()

    async def wait() -> Any:
        return (await clients.async_openai.chat.completions.create(**CHAT)).model_dump()

    @capture_content("span_only")
    def function() -> Any:
        return ask()

    @genai_context(conversation_id=7)
    def generator() -> Iterator[Any]:
        yield ask()
        yield ask()

    @capture_content(0.5)
    async def coroutine() -> Any:
        return await wait()

    @genai_context(tags={"team": "b"}, prompt_name="greeting")
    async def asynchronous() -> AsyncIterator[Any]:
        yield await wait()
        yield await wait()

    @genai_context(user_id="u")
    def returning() -> Any:
        return wait()

    async def together() -> Any:
        async with genai_context(user_id="outer"):
            return [await coroutine(), [each async for each in asynchronous()], await returning()]

    return [function(), list(generator()), clients.loop.run_until_complete(together())]


def _named(clients: Clients) -> Any:
    """A workflow with an agent, tools of every shape, a retrieval, steps, and results of evaluations."""

    def ask() -> Any:
        return clients.openai.chat.completions.create(**CHAT).model_dump()

    @execute_tool()
    def function(city: str) -> Any:
        return ask()

    @invoke_agent("generator")
    def generator() -> Iterator[Any]:
        yield ask()

    @step("coroutine")
    async def coroutine() -> Any:
        return (await clients.async_openai.chat.completions.create(**CHAT)).model_dump()

    @execute_tool("asynchronous")
    async def asynchronous() -> AsyncIterator[Any]:
        yield 1
        yield 2

    @retrieval()
    def returning() -> Any:
        return coroutine()

    async def together() -> Any:
        async with invoke_agent("agent", input="x") as run:
            run.set_result([{"role": "assistant", "content": {"a": 1}}])
            return [await coroutine(), [each async for each in asynchronous()], await returning()]

    with genai_context(tags={"team": "a"}), invoke_workflow("flow", input=[{"role": "user", "content": "x"}]) as run:
        with retrieval("docs", query="x", top_k=2) as found:
            found.set_result(["a"])
        results = [function("Paris"), list(generator()), clients.loop.run_until_complete(together())]
        run.set_result("done")
        record_evaluation("tone", score=0.5, label="fair", explanation="x", call=current_call())
    record_evaluation("tone", score=0.5, call=CallReference("1" * 32, "2" * 16))
    return results


MORE = (
    Followed(
        "secrets in long texts",
        "openai",
        Json(completion(SECRETS * 9)),
        lambda on: on.openai.chat.completions.create(
            model="m", messages=[{"role": "user", "content": SECRETS}] * 3
        ).model_dump(),
        {**EVERYTHING, "content_budget": 4096, "content_part_budget": 1024},
    ),
    Followed(
        "a call with a price",
        "openai",
        Json(completion()),
        lambda on: on.openai.chat.completions.create(**CHAT).model_dump(),
        {**EVERYTHING, "host_providers": "127.0.0.1=openai"},
    ),
    Followed(
        "a large body that nobody parses",
        "openai",
        Json({**completion(), "data": [{"embedding": [0.5] * 99_999, "text": 'a "b" ' * 999, "none": None}] * 12}),
        lambda on: on.openai.chat.completions.with_raw_response.create(**CHAT).text,
        EVERYTHING,
    ),
    Followed("decorated functions", "openai", Json(completion()), _decorated, EVERYTHING, spans=7),
    Followed("operations with names", "openai", Json(completion()), _named, EVERYTHING, spans=13),
    *(
        Followed(f"Bedrock, {name}", "bedrock", one.reply, lambda on, one=one: whole_of(one)(on.bedrock), EVERYTHING)  # type: ignore[misc]
        for name, one in EXCHANGES.items()
    ),
)
