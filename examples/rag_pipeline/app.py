"""Answers a question from notes: search, prompt, answer, parsing."""

from __future__ import annotations

from openai import OpenAI

from opentelemetry_instrumentation_genai import invoke_workflow, retrieval, step

MODEL = "gpt-4.1-mini"
EMBEDDINGS = "text-embedding-3-small"
NOTES = {
    "trains": "The night train to Madrid no longer runs.",
    "pastry": "Pastry at the bakery near the river is best before nine.",
    "tram": "Tickets for the tram are cheaper from the machine than from the driver.",
}
client = OpenAI()


def search(question: str, top_k: int) -> list[str]:
    """Find the notes that are closest in meaning to a question."""
    with retrieval("notes", query=question, top_k=top_k) as run:
        reply = client.embeddings.create(model=EMBEDDINGS, input=[question, *NOTES.values()])
        wanted, *vectors = (item.embedding for item in reply.data)
        nearness = [sum(a * b for a, b in zip(wanted, vector, strict=True)) for vector in vectors]
        best = sorted(zip(nearness, NOTES, strict=True), reverse=True)[:top_k]
        run.set_result([{"id": name, "score": score, "content": NOTES[name]} for score, name in best])
    return [NOTES[name] for _, name in best]


@step("make prompt")
def make_prompt(question: str, notes: list[str]) -> str:
    """Put the notes before the question."""
    return "\n".join(["Answer from these notes alone.", *notes, question])


@step("parse")
def parse(text: str) -> str:
    """Take the first sentence of an answer."""
    return text.partition(". ")[0].rstrip(".")


@invoke_workflow("answer from notes")
def answer(question: str) -> str:
    """Answer a question."""
    prompt = make_prompt(question, search(question, top_k=2))
    reply = client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": prompt}])
    return parse(reply.choices[0].message.content or "")


if __name__ == "__main__":
    print(answer("Where is the best pastry?"))
