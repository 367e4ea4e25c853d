"""An application whose traces are worth looking at: an agent with tools, documents, a refusal, three SDKs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import anthropic
import ollama
import openai
from opentelemetry.trace import SpanKind

from loopback import Json, ModelServer, Reply, Sse, anthropic_bodies as ant, openai_bodies as oai
from loopback.replies import Plan
from opentelemetry_instrumentation_genai import (
    execute_tool,
    genai_context,
    instrument,
    invoke_agent,
    retrieval,
    uninstrument,
)
from viewed.exporting import Exporting

PRICES = {
    "prices": [
        {"model": "gpt-*", "input": 2.5, "cache_read": 1.25, "output": 10.0},
        {"model": "claude-*", "input": 3.0, "cache_read": 0.3, "output": 15.0},
        {"model": "llama*", "input": 0.05, "output": 0.05},
        {"model": "text-embedding-*", "input": 0.02, "output": 0.0},
    ]
}
TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": name,
            "description": description,
            "parameters": {"type": "object", "properties": {argument: {"type": "string"}}, "required": [argument]},
        },
    }
    for name, description, argument in (
        ("get_weather", "The weather of a city in the next days.", "city"),
        ("find_trains", "Trains between two cities.", "route"),
    )
]
SYSTEM = "You are the travel desk of a small company. Be brief, and name prices in euros."
FORECAST = {
    "city": "Lisbon",
    "days": [{"day": "Fri", "high": 24, "sky": "clear"}, {"day": "Sat", "high": 26, "sky": "sunny"}],
}


@dataclass(frozen=True)
class After:
    """A reply that comes after some seconds."""

    seconds: float
    reply: Reply

    def plan(self) -> Plan:
        """The same, later."""
        return replace(self.reply.plan(), wait=self.seconds)


@contextmanager
def travelling(server: ModelServer, exporting: Exporting, folder: Path) -> Iterator[Travel]:
    """The application, instrumented with content on spans, and with prices."""
    prices = folder / "prices.json"
    prices.write_text(json.dumps(PRICES))
    instrument(
        **exporting.providers, capture_message_content="span_and_event", prices=f"file:{prices}", stream_usage="inject"
    )
    try:
        travel = Travel(server, exporting)
        yield travel
        travel.close()
    finally:
        uninstrument()


class Travel:
    """Conversations of the application; `pace` is the time that a model takes, as a factor."""

    def __init__(self, server: ModelServer, exporting: Exporting, pace: float = 1.0) -> None:
        """Talks to the one server as if it were all providers."""
        self.pace = pace
        self._server = server
        self._tracer = exporting.tracer_provider.get_tracer("opentelemetry.instrumentation.httpx", "0.66b0")
        self._openai = openai.OpenAI(base_url=f"{server.url}/v1", api_key="none", max_retries=0)
        self._anthropic = anthropic.Anthropic(base_url=server.url, api_key="none", max_retries=0)
        self._ollama = ollama.Client(server.url)

    def weekend(self, question: str = "Can you plan a weekend in Lisbon for two, by train from Madrid?") -> None:
        """An agent that calls two tools, and streams its answer."""
        messages: list[Any] = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": question}]
        with genai_context(conversation_id="trip-2031", tags={"team": "travel"}):
            with invoke_agent("travel_desk", model="gpt-4o", provider="openai", input=question) as agent:
                message = self._asked(messages)
                messages.append(message.model_dump(exclude_none=True))
                for call in message.tool_calls or ():
                    result = self._tool(call.function.name, call.id, json.loads(call.function.arguments))
                    messages.append({"role": "tool", "tool_call_id": call.id, "content": json.dumps(result)})
                agent.set_result(self._answered(messages))

    def policy(self) -> None:
        """A question about documents."""
        question = "How much may a hotel in Lisbon cost?"
        documents = [
            {"id": "policy-12", "score": 0.91, "content": "Hotels: up to 140 euros a night in capitals of the EU."},
            {"id": "policy-03", "score": 0.74, "content": "Breakfast is included in the price of the hotel."},
        ]
        vector = {"object": "embedding", "index": 0, "embedding": [0.1, 0.2]}
        usage = {"prompt_tokens": 9, "total_tokens": 9}
        with genai_context(tags={"team": "finance"}), invoke_agent("policy_desk", input=question) as agent:
            with retrieval("travel-policy", query=question, top_k=2) as found:
                self._server.reply(
                    self._after(
                        0.05,
                        Json({"object": "list", "model": "text-embedding-3-small", "data": [vector], "usage": usage}),
                    )
                )
                self._openai.embeddings.create(model="text-embedding-3-small", input=question, encoding_format="float")
                self._spent(
                    "SELECT policies",
                    SpanKind.CLIENT,
                    0.02,
                    {"db.system.name": "postgresql", "db.operation.name": "SELECT"},
                )
                found.set_result(documents)
            self._server.reply(
                self._after(
                    0.5,
                    Json(
                        ant.message(
                            {
                                "type": "thinking",
                                "thinking": "Lisbon is a capital of the EU, so the limit of 140 euros holds.",
                                "signature": "s",
                            },
                            ant.text("Up to 140 euros a night, breakfast included."),
                            model="claude-sonnet-5-20260301",
                            usage={"input_tokens": 412, "output_tokens": 58, "cache_read_input_tokens": 1850},
                        )
                    ),
                )
            )
            prompt = f"Answer by these rules:\n{json.dumps(documents)}\n\n{question}"
            self._anthropic.messages.create(
                model="claude-sonnet-5", max_tokens=300, system=SYSTEM, messages=[{"role": "user", "content": prompt}]
            )
            agent.set_result("Up to 140 euros a night, breakfast included.")

    def receipt(self) -> None:
        """A picture that a model reads."""
        body = oai.completion(
            "Total: 83.40 EUR, of which 6.18 EUR are tax.", model="gpt-4o-2024-08-06", usage=_usage(1105, 21)
        )
        self._server.reply(self._after(0.7, Json(body)))
        picture = {"type": "image_url", "image_url": {"url": "https://files.example/receipts/4711.png"}}
        content: list[Any] = [{"type": "text", "text": "What is the total of this receipt?"}, picture]
        self._openai.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": content}])

    def title(self) -> None:
        """A short call of a small model on one's own machine."""
        self._server.reply(
            self._after(
                0.2,
                Json(
                    {
                        "model": "llama3.2",
                        "created_at": "2026-01-01T00:00:00Z",
                        "done": True,
                        "done_reason": "stop",
                        "message": {"role": "assistant", "content": "Weekend in Lisbon"},
                        "prompt_eval_count": 46,
                        "eval_count": 5,
                        "total_duration": 210_000_000,
                    }
                ),
            )
        )
        self._ollama.chat(
            "llama3.2",
            messages=[{"role": "user", "content": "A title of three words for: a weekend in Lisbon by train"}],
        )

    def refused(self) -> None:
        """A call that the provider refuses."""
        self._server.reply(
            self._after(
                0.1,
                Json(oai.error("Rate limit reached for gpt-4o: try again in 20 s.", "rate_limit_exceeded"), status=429),
            )
        )
        with genai_context(tags={"team": "travel"}):
            with suppress(openai.RateLimitError):
                self._openai.chat.completions.create(
                    model="gpt-4o", messages=[{"role": "user", "content": "Summarise my trips of this year"}]
                )

    def close(self) -> None:
        """Closes the connections."""
        self._openai.close()
        self._anthropic.close()
        self._ollama._client.close()

    def all(self) -> None:
        """One of each, and a second turn of the first."""
        for part in (self.title, self.receipt, self.policy, self.refused, self.weekend):
            part()
        self.weekend("And what if we leave on Thursday evening?")

    def _asked(self, messages: list[Any]) -> Any:
        calls = [
            {"id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": json.dumps(arguments)}}
            for number, (name, arguments) in enumerate(
                (("get_weather", {"city": "Lisbon"}), ("find_trains", {"route": "Madrid - Lisbon"}))
            )
        ]
        body = oai.completion(None, model="gpt-4o-2024-08-06", usage=_usage(318, 42, cached=256, reasoning=18))
        body["choices"][0] |= {
            "finish_reason": "tool_calls",
            "message": {"role": "assistant", "content": None, "tool_calls": calls},
        }
        self._server.reply(self._after(0.45, Json(body)))
        return (
            self._openai.chat.completions.create(model="gpt-4o", messages=messages, tools=TOOLS, temperature=0.3)
            .choices[0]
            .message
        )

    def _tool(self, name: str, call: str, arguments: Any) -> Any:
        with execute_tool(name, call_id=call, arguments=arguments) as tool:
            result = (
                FORECAST
                if name == "get_weather"
                else {"route": arguments["route"], "trains": [{"leaves": "21:43", "price": "49 EUR"}]}
            )
            self._spent(
                "GET",
                SpanKind.CLIENT,
                0.15,
                {
                    "http.request.method": "GET",
                    "url.full": f"https://{name}.example/v1?q=Lisbon",
                    "http.response.status_code": 200,
                },
            )
            tool.set_result(result)
            return result

    def _answered(self, messages: list[Any]) -> str:
        text = (
            "Friday evening to Sunday works well: 24 to 26 degrees and sunny.\n\n"
            "- Train: leaves Madrid at 21:43, 49 EUR each way and person\n- Hotel: up to 140 EUR a night, near Rossio\n"
            "- Saturday: Alfama on foot, tram 28 in the evening\n\nAbout 476 EUR for two. Shall I book it?"
        )
        pieces = [text[at : at + 24] for at in range(0, len(text), 24)]
        last = oai.chunk(usage=_usage(506, 88, cached=384), choices=[])
        events = [oai.chunk({"role": "assistant", "content": piece}, model="gpt-4o-2024-08-06") for piece in pieces]
        self._server.reply(self._after(0.4, Sse([*events, oai.chunk(reason="stop"), last], delay=0.06 * self.pace)))
        stream = self._openai.chat.completions.create(model="gpt-4o", messages=messages, tools=TOOLS, stream=True)
        return "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)

    def _spent(self, name: str, kind: SpanKind, seconds: float, attributes: Any) -> None:
        """What another instrumentation records."""
        with self._tracer.start_as_current_span(name, kind=kind, attributes=attributes):
            time.sleep(seconds * self.pace)

    def _after(self, seconds: float, reply: Reply) -> Reply:
        return After(seconds * self.pace, reply)


def _usage(given: int, made: int, *, cached: int = 0, reasoning: int = 0) -> dict[str, Any]:
    """The usage of a chat completion."""
    return {
        "prompt_tokens": given,
        "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens": made,
        "completion_tokens_details": {"reasoning_tokens": reasoning},
        "total_tokens": given + made,
    }
