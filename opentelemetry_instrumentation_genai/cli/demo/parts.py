"""The parts of the demonstration by the SDK that each needs, and which of them can be shown here."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, NamedTuple

from packaging.version import InvalidVersion, Version

if TYPE_CHECKING:
    from collections.abc import Iterable


class Sdk(NamedTuple):
    """An SDK of the demonstration.

    Attributes:
        extra: the extra of this package that installs it.
        distribution: its name in the package index.
        oldest: the oldest version that has what is shown.
        plan: its part of the first program, as a module of `programs`; empty if it has none.
        book: its part of the second.
        ask: its part of the third.
    """

    extra: str
    distribution: str
    oldest: str
    plan: str = ""
    book: str = ""
    ask: str = ""


SDKS = (
    Sdk("openai", "openai", "2.0", plan="plan_openai", book="book_openai"),
    Sdk("anthropic", "anthropic", "1.14", plan="plan_anthropic", book="book_anthropic"),
    Sdk("ollama", "ollama", "0.4", plan="plan_ollama"),
    Sdk("mcp", "mcp", "2.0", book="book_mcp"),
    Sdk("groq", "groq", "0.9", ask="ask_groq"),
    Sdk("cerebras", "cerebras-cloud-sdk", "1.5", ask="ask_cerebras"),
    Sdk("fireworks", "fireworks-ai", "1.2", ask="ask_fireworks"),
)
NEEDED = ("openai", "anthropic", "ollama")
"""Of these there must be one."""


class Parts(NamedTuple):
    """What can be shown.

    Attributes:
        shown: the SDKs that are there.
        left_out: the extras of the others -> why it is not enough that it is there; empty if it is not.
    """

    shown: list[Sdk]
    left_out: dict[str, str]

    def remark(self) -> str:
        """Return what is left out, and how to have it; empty if it is nothing."""
        if not self.left_out:
            return ""
        names = ", ".join(f"{extra} ({reason})" if reason else extra for extra, reason in self.left_out.items())
        extras = ",".join(self.left_out)
        return f"Left out, because it is not installed: {names}. pip install 'opentelemetry-instrumentation-genai[{extras}]'"

    def programs(self) -> list[list[str]]:
        """Return the programs, each as the modules of its parts."""
        programs = ([getattr(sdk, program) for sdk in self.shown] for program in ("plan", "book", "ask"))
        return [parts for program in programs if (parts := [part for part in program if part])]


def find_parts(sdks: Iterable[Sdk] = SDKS) -> Parts:
    """Return what can be shown with what is installed."""
    shown: list[Sdk] = []
    left_out: dict[str, str] = {}
    for sdk in sdks:
        reason = _reason(sdk)
        if reason is None:
            shown.append(sdk)
        else:
            left_out[sdk.extra] = reason
    return Parts(shown, left_out)


def _reason(sdk: Sdk) -> str | None:
    """Return why an SDK is left out; None if it is not."""
    try:
        found = version(sdk.distribution)
        return f"found {found}, shown from {sdk.oldest} on" if Version(found) < Version(sdk.oldest) else None
    except (PackageNotFoundError, InvalidVersion):
        return ""
