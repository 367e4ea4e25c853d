"""What the pretended model answers, and what it counts: the same answer to the same prompt, every time."""

from __future__ import annotations

import re
from array import array
from base64 import b64encode
from dataclasses import dataclass, field
from math import sqrt
from zlib import crc32

SNAPSHOTS = {
    "gpt-4.1-mini": "gpt-4.1-mini-2025-04-14",
    "gpt-4o-mini": "gpt-4o-mini-2024-07-18",
    "gpt-5-mini": "gpt-5-mini-2025-08-07",
    "llama-3.3-70b": "llama-3.3-70b",
    "text-embedding-3-small": "text-embedding-3-small",
}
CLAUDES = ("claude-sonnet-5-5",)
LLAMAS = ("llama3.2",)
BUSY = "gpt-4o-mini"
_MOST = 500  # prompts that a cache remembers
CITIES = ("Lisbon", "Porto", "Évora")
ANSWERS = {
    "May": "Porto: small enough to walk, two hours by train from anywhere worth seeing, and in no hurry either.",
    "visit Lisbon": "The light in the late afternoon, best seen from a ferry for the price of a coffee.",
    "visit Porto": "The bridges, and the cellars that one reaches by walking over them.",
    "visit Évora": "A Roman temple in a town where lunch takes two hours.",
    "best pastry?": "At the bakery near the river. Go before nine.",
    "river": "From the bridge follow the quay west until the trams turn round; the sea begins where the gardens end.",
    "history": "First there was a ford and somebody who charged for it. Then came the Romans, who charged more.",
    "Saturday": "Pastry before nine, the quay until noon, a long lunch, and the last tram back along the water.",
    "rains": "Then the tiles in the hall of the station, which has a roof, and after them a long soup.",
    "pack": "Good shoes, a jumper for the evening, and a book that nobody has to finish.",
    "Name": "Two Friends and a Tram.",
    "closing": "The cellars close at seven.",
    "umbrella": "Take it. The rain comes at four.",
    "tip": "A tenth is plenty.",
    "bridge": "The upper deck, for the view; the lower one, for the tram.",
    "thank you": "Obrigado if you are a man, obrigada if you are a woman.",
}
THOUGHTS = "They dislike hurry: one thing in the morning, one after lunch. Trams stop at midnight, so begin early."

DOUBTS = "Rain makes the quay slippery. The hall of the station has tiles and a roof, and they like trains."


def text_of(content: object) -> str:
    """Return the text of a message's content, which may be a list of parts."""
    if isinstance(content, list):
        return " ".join(text_of(part.get("text") or part.get("content")) for part in content if isinstance(part, dict))
    return content if isinstance(content, str) else ""


def tokens(text: str) -> list[str]:
    """Cut a text into something like a model's tokens: words and signs."""
    return re.findall(r"\w+|[^\w\s]", text)


def pieces(text: str) -> list[str]:
    """Cut an answer into the pieces in which it is streamed."""
    return re.findall(r"\S+\s*", text)


def answer(question: str) -> str:
    """Look an answer up."""
    return next((text for word, text in ANSWERS.items() if word in question), "Let us talk about that on the train.")


def conclude(results: list[str]) -> str:
    """Answer from the results of tools."""
    return f"Now it is {' and '.join(result.replace(': ', ' at ', 1) for result in results)}: go where the sun is."


def choose(results: list[str]) -> str:
    """Choose from a timetable."""
    return f"Take the one at {results[-1].split('; ')[-1]}: there is time for lunch, and nobody has to run."


def cities(question: str) -> list[str]:
    """Return the cities of a question, of which there is always one."""
    return [city for city in CITIES if city in question] or [CITIES[0]]


def wanted(tools: list[str], question: str) -> list[int]:
    """Return which tools a question needs: those with a word of the question in their names, or else the first."""
    words = {word for word in tokens(question.lower()) if len(word) > 3}
    return [place for place, name in enumerate(tools) if words & {*name.lower().split("_")}] or [0]


def limited(text: str, limit: object) -> tuple[str, bool]:
    """Return as much of an answer as a limit of tokens leaves, and whether it leaves something out."""
    if not isinstance(limit, int) or limit < 1 or len(tokens(text)) <= limit:
        return text, False
    kept: list[str] = []
    for piece in pieces(text):
        if len(tokens("".join(kept) + piece)) > limit:
            break
        kept.append(piece)
    return "".join(kept).rstrip(), True


def vector(text: str, dimensions: int) -> list[float]:
    """Give similar texts similar directions, by the words that they share."""
    values = [0.0] * dimensions
    for word in tokens(text.lower()):
        values[crc32(word.encode()) % dimensions] += len(word)
    length = sqrt(sum(value * value for value in values)) or 1.0
    return [value / length for value in values]


def encoded(values: list[float]) -> str:
    """Write a vector as the SDK likes it best."""
    return b64encode(array("f", values).tobytes()).decode()


@dataclass
class PromptCache:
    """Prompts seen before. OpenAI caches prefixes from 1024 tokens on, in steps of 128; here from 16, to show on short ones."""

    seen: list[list[str]] = field(default_factory=list)
    step: int = 16

    def cached(self, prompt: list[str]) -> int:
        """Count how many tokens at the start of `prompt` are known, and remember it."""
        known = max((shared(prompt, other) for other in self.seen), default=0)
        self.seen.append(prompt)
        del self.seen[:-_MOST]
        return known // self.step * self.step


@dataclass
class MarkedCache:
    """Prompts seen before, up to the marks that requests set. Anthropic caches from 1024 tokens on or more; here any number."""

    seen: set[tuple[str, ...]] = field(default_factory=set)

    def account(self, blocks: list[tuple[list[str], bool]]) -> tuple[int, int, int]:
        """Count the tokens of a prompt that are read from the cache, those that are written to it, and those behind the marks."""
        prompt: list[str] = []
        ends = [0]
        for block, marked in blocks:
            prompt += block
            if marked:
                ends.append(len(prompt))
        marks = [tuple(prompt[:end]) for end in ends]
        read = max((len(mark) for mark in marks if mark in self.seen), default=0)
        if len(self.seen) > _MOST:
            self.seen.clear()
        self.seen.update(marks[1:])
        return read, ends[-1] - read, len(prompt) - ends[-1]


def shared(one: list[str], other: list[str]) -> int:
    """Count the tokens with which both begin."""
    return next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
