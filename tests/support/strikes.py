"""Failures and interrupts that strike in the instrumentation's own code: at the entry of a function, or before a line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

import opentelemetry_instrumentation_genai

ROOT = Path(opentelemetry_instrumentation_genai.__file__).parent
_PREFIX = f"{ROOT}/"


class Place(NamedTuple):
    """A place in our code: a module, a line of it, and the function that has it; ``entry`` is the function's first step."""

    module: str
    line: int
    function: str
    entry: bool


class PlantedError(Exception):
    """What a step of ours raises."""


# What is struck by tests of its own, where its SDKs are installed, and what is not; and the command, which no call passes.
_ELSEWHERE = ("sdks/", "cli/")
_HERE = ("sdks/bedrock/", "sdks/google_genai/")


def functions() -> dict[tuple[str, int], str]:
    """Every function of the package, enumerated from its code: module and first line, and the name with its class.

    Comprehensions count as part of their function, which they are from Python 3.12 on; a lambda is a function.
    """
    found: dict[tuple[str, int], str] = {}
    for path in sorted(ROOT.rglob("*.py")):
        module = path.relative_to(ROOT).as_posix()
        if module.startswith(_ELSEWHERE) and not module.startswith(_HERE):
            continue
        for code, name in _codes(compile(path.read_text(), str(path), "exec"), ""):
            found[module, code.co_firstlineno] = name
    return found


def functions_of(module: str) -> frozenset[str]:
    """The names of the functions of a module, without their classes."""
    return frozenset(name.rpartition(".")[2] for (path, _), name in functions().items() if path == module)


def _codes(code: CodeType, within: str) -> Iterator[tuple[CodeType, str]]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            name = f"{within}{constant.co_name}"
            is_function = bool(constant.co_flags & 0x2)  # CO_NEWLOCALS, which the body of a class has not
            if is_function and constant.co_name not in _INLINED:
                yield constant, name
            yield from _codes(constant, f"{name}.")


_INLINED = frozenset({"<genexpr>", "<listcomp>", "<setcomp>", "<dictcomp>"})


def places(run: Callable[[], object]) -> list[Place]:
    """The places that ``run`` passes, each once, in the order in which it comes to them."""
    passed: dict[Place, None] = {}
    with _tracing(passed.setdefault, None):
        run()
    return list(passed)


@contextmanager
def struck(place: Place, error: BaseException) -> Iterator[list[Place]]:
    """The first time that a step comes to ``place``, ``error`` is raised there. Yields where it was."""
    hit: list[Place] = []

    def strike(passing: Place) -> None:
        if passing == place and not hit:
            hit.append(passing)
            raise error

    with _tracing(strike, place):
        yield hit


@contextmanager
def _tracing(see: Callable[[Place], object], only: Place | None) -> Iterator[None]:
    """Have ``see`` called at each place of ours; what it raises is raised there, after which Python traces no more.

    With ``only``, the lines of other functions than that place's are passed over.
    """

    def traced(frame: FrameType, event: str, _argument: Any) -> Any:
        code = frame.f_code
        if not code.co_filename.startswith(_PREFIX) or code.co_name in _INLINED:
            return None
        if only is not None and only.function != code.co_name:
            return None
        if event in ("call", "line"):
            line = code.co_firstlineno if event == "call" else frame.f_lineno
            see(Place(code.co_filename.removeprefix(_PREFIX), line, code.co_name, event == "call"))
        return None if only is not None and only.entry else traced

    before = sys.gettrace()
    sys.settrace(traced)
    try:
        yield
    finally:
        sys.settrace(before)
