"""A chat in the browser, with a model on a server of one's own that speaks OpenAI's API."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from uuid import uuid4

import streamlit as st
from openai import OpenAI
from opentelemetry import trace

from opentelemetry_instrumentation_genai import genai_context

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openai import Stream
    from openai.types.chat import ChatCompletionChunk

MODEL = os.environ["CHAT_MODEL"]
tracer = trace.get_tracer("chatbot")
kept = st.session_state


@st.cache_resource
def model_client() -> OpenAI:
    """Make the client, once: Streamlit runs this file from its beginning for each thing that a user does."""
    return OpenAI()


def answer(question: str) -> None:
    """Show a question and, while it comes, its answer."""
    kept.messages.append({"role": "user", "content": question})
    st.chat_message("user").write(question)
    # A question is a span of the page; each page that is open is a conversation.
    with (
        tracer.start_as_current_span("question", kind=trace.SpanKind.SERVER),
        genai_context(conversation_id=kept.conversation),
        st.chat_message("assistant"),
    ):
        stream = model_client().chat.completions.create(
            model=MODEL, messages=kept.messages, max_tokens=300, stream=True, stream_options={"include_usage": True}
        )
        reply = {"role": "assistant", "content": ""}
        kept.messages.append(reply)
        # What has come is kept, and the call ends, when the user does not wait for the rest.
        with stream:
            st.write_stream(pieces(stream, reply))


def pieces(stream: Stream[ChatCompletionChunk], reply: dict[str, str]) -> Iterator[str]:
    """Yield an answer as it comes, and add it to the message that is kept."""
    for chunk in stream:
        if chunk.choices:
            piece = chunk.choices[0].delta.content or ""
            reply["content"] += piece
            yield piece


if "conversation" not in kept:
    kept.update(conversation=str(uuid4()), messages=[])
st.title("Ask about the town")
for message in kept.messages:
    st.chat_message(message["role"]).write(message["content"])
if asked := st.chat_input("Your question"):
    answer(asked)
