"""The program that makes the requests of a seed; it runs under `opentelemetry-instrument`.

Arguments: requests in a second, seconds, the seed, the file of the report, the faults with commas between, and the SDKs.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from opentelemetry_instrumentation_genai import genai_context

from .agent import run_agent
from .plan import IMPATIENT, TRUNCATED, planned
from .report import Report, Usage

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from .plan import Planned

    Ask = Callable[[Planned, str], Awaitable[tuple[Usage, bool]]]

_MOST = 200  # requests that run at the same time; more wait
_ENOUGH = 400  # tokens, for an answer that is not truncated


def _openai() -> Ask:
    from openai import AsyncOpenAI

    client = AsyncOpenAI(max_retries=1)

    async def ask(request: Planned, model: str) -> tuple[Usage, bool]:
        more: Any = {"model": model, **_surroundings(request)}
        if request.model.startswith("text-embedding"):
            vectors = await client.embeddings.create(input=request.question, dimensions=64, **more)
            return Usage(vectors.usage.prompt_tokens, 0), False
        more |= {"messages": _messages(request), "max_completion_tokens": _limit(request)}
        if not request.streamed:
            answer = await client.chat.completions.create(**more)
            return _of_openai(answer.usage), answer.choices[0].finish_reason == "length"
        usage, reason = None, None
        async for chunk in await client.chat.completions.create(
            stream=True, stream_options={"include_usage": True}, **more
        ):
            usage = chunk.usage or usage
            reason = chunk.choices[0].finish_reason or reason if chunk.choices else reason
        return _of_openai(usage), reason == "length"

    return ask


def _of_openai(usage: Any) -> Usage:
    return Usage(usage.prompt_tokens, usage.completion_tokens, usage.prompt_tokens_details.cached_tokens)


def _anthropic() -> Ask:
    from anthropic import AsyncAnthropic

    client = AsyncAnthropic(max_retries=1)

    async def ask(request: Planned, model: str) -> tuple[Usage, bool]:
        more: Any = {"messages": _messages(request)[1:], "model": model, **_surroundings(request)}
        more |= {"max_tokens": _limit(request), "system": _instruction(request)}
        if request.streamed:
            async with client.messages.stream(**more) as stream:
                message = await stream.get_final_message()
        else:
            message = await client.messages.create(**more)
        used = message.usage
        cached, written = used.cache_read_input_tokens or 0, used.cache_creation_input_tokens or 0
        return Usage(
            used.input_tokens + cached + written, used.output_tokens, cached, written
        ), message.stop_reason == "max_tokens"

    return ask


def _ollama() -> Ask:
    from ollama import AsyncClient

    client = AsyncClient()

    async def ask(request: Planned, model: str) -> tuple[Usage, bool]:
        more: Any = {"model": model, "messages": _messages(request), "options": {"num_predict": _limit(request)}}
        last: Any = None
        if request.streamed:
            async for part in await client.chat(stream=True, **more):
                last = part
        else:
            last = await client.chat(**more)
        return Usage(last.prompt_eval_count or 0, last.eval_count or 0), last.done_reason == "length"

    return ask


_SDKS: dict[str, Callable[[], Ask]] = {"openai": _openai, "anthropic": _anthropic, "ollama": _ollama}


def _instruction(request: Planned) -> str:
    return f"You plan weekends for the customers of {request.tenant}, who travel by train and dislike hurry. Answer in one sentence."


def _messages(request: Planned) -> list[dict[str, str]]:
    return [{"role": "system", "content": _instruction(request)}, {"role": "user", "content": request.question}]


def _surroundings(request: Planned) -> dict[str, Any]:
    """Return the arguments that are not of the model: what the server is to do with it, and how long the client waits."""
    patience = {"timeout": IMPATIENT} if request.plan.failing == "late" else {}
    return {"extra_headers": request.plan.header(), **patience}


def _limit(request: Planned) -> int:
    return TRUNCATED if request.truncated else _ENOUGH


async def _send(ask: Ask, request: Planned, report: Report, room: asyncio.Semaphore) -> None:
    """Make one request, for its tenant and user, and count what came of it."""
    model = "missing" if request.missing else request.model
    tags = {"tenant": request.tenant, "team": request.team}
    with genai_context(conversation_id=request.conversation, user_id=request.user, tags=tags):
        async with room:
            report.send(request, model)
            asking = partial(_timed, ask, request, model, report)
            try:
                usage, truncated = await (run_agent(request.run, asking, report) if request.run else asking())
            except Exception as error:  # noqa: BLE001 - all failures are counted
                report.fail(error)
            else:
                report.answer(usage, request, truncated=truncated)


async def _timed(ask: Ask, request: Planned, model: str, report: Report) -> tuple[Usage, bool]:
    """Make a request, and count how long it took."""
    began = time.perf_counter()
    try:
        return await ask(request, model)
    finally:
        report.end(model, time.perf_counter() - began)


async def make_traffic(
    rate: float, seconds: float, seed: int, sdks: Sequence[str], report: Report, *, faults: Sequence[str] = ()
) -> None:
    """Send the requests of a seed at their times, and wait for the answers.

    Args:
        rate: requests in a second, on average.
        seconds: how long requests are sent.
        seed: which requests.
        sdks: by which SDKs.
        report: what counts them.
        faults: what goes wrong with more of them than usually.
    """
    asks = {sdk: _SDKS[sdk]() for sdk in sdks}
    room, running = asyncio.Semaphore(_MOST), set[asyncio.Task[None]]()
    began, at = time.monotonic(), 0.0
    for request in planned(seed, sdks, faults):
        at += request.after / rate
        if at > seconds:
            break
        await asyncio.sleep(max(began + at - time.monotonic(), 0))
        task = asyncio.create_task(_send(asks[request.sdk], request, report, room))
        running.add(task)
        task.add_done_callback(running.discard)
    await asyncio.gather(*running)


async def _until_interrupted(traffic: Awaitable[None]) -> None:
    """Wait for the traffic; SIGINT and SIGTERM cancel it.

    They raise no exception: it would strike whatever runs at that moment, and validators and connections of the SDKs drop it there.
    """
    loop, cancel = asyncio.get_running_loop(), cast("asyncio.Task[None]", asyncio.current_task()).cancel
    for number in (signal.SIGINT, signal.SIGTERM):
        with suppress(NotImplementedError):  # Windows
            loop.add_signal_handler(number, cancel)
    await traffic


def main() -> None:
    """Make the traffic, and write the report, also if it is interrupted."""
    rate, seconds, seed, path, faults, *sdks = sys.argv[1:]
    report = Report()
    wrong = [fault for fault in faults.split(",") if fault]
    traffic = make_traffic(float(rate), float(seconds), int(seed), sdks, report, faults=wrong)
    try:
        asyncio.run(_until_interrupted(traffic))
    except (asyncio.CancelledError, KeyboardInterrupt):
        sys.exit(130)
    finally:
        report.write(Path(path))


if __name__ == "__main__":
    main()
