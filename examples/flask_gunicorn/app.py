"""A Flask application: `POST /ask` with a question answers it. Nothing here knows of telemetry."""

from __future__ import annotations

import os

from flask import Flask, request
from openai import OpenAI

MODEL = "gpt-4.1-mini"
app = Flask(__name__)
client = OpenAI()  # made before the fork; its connections are made after it, by each worker for itself


@app.post("/ask")
def ask() -> dict[str, str | int]:
    """Answer a question, and say which worker did."""
    question = request.get_json()["question"]
    reply = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": question}])
    return {"answer": reply.choices[0].message.content or "", "worker": os.getpid()}
