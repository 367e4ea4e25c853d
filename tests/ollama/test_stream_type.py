"""What a stream is, to all who ask: the application cannot tell the instrumented one from the SDK's own generator."""

from __future__ import annotations

import collections.abc
import contextlib
import copy
import inspect
import io
import numbers
import os
import pickle
import types
import typing
import warnings
import weakref
from collections.abc import Callable
from typing import Any

import pytest

from ollama_endings import chat, stream
from opentelemetry_instrumentation_genai import OllamaInstrumentor

MODULES = (collections.abc, contextlib, typing, types, io, numbers, os)
KINDS = {
    f"{module.__name__}.{name}": kind
    for module in MODULES
    for name, kind in vars(module).items()
    if isinstance(kind, type)
}
# The special methods and attributes of Python's data model, and what generators, coroutines, streams and wrappers have.
SPECIAL = """
__abs__ __add__ __aenter__ __aexit__ __aiter__ __and__ __anext__ __annotations__ __await__ __bases__ __bool__ __buffer__ __bytes__
__call__ __ceil__ __class__ __class_getitem__ __code__ __complex__ __contains__ __copy__ __deepcopy__ __defaults__ __del__
__delattr__ __delete__ __delitem__ __dict__ __dir__ __divmod__ __doc__ __enter__ __eq__ __exit__ __file__ __float__ __floor__
__floordiv__ __format__ __fspath__ __func__ __ge__ __get__ __getattr__ __getattribute__ __getitem__ __getnewargs__ __getstate__
__globals__ __gt__ __hash__ __iadd__ __index__ __init__ __init_subclass__ __instancecheck__ __int__ __invert__ __iter__ __le__
__len__ __length_hint__ __lt__ __matmul__ __missing__ __mod__ __module__ __mro__ __mul__ __name__ __ne__ __neg__ __new__ __next__
__or__ __orig_bases__ __pos__ __pow__ __qualname__ __radd__ __reduce__ __reduce_ex__ __repr__ __reversed__ __round__ __self__
__set__ __set_name__ __setattr__ __setitem__ __setstate__ __sizeof__ __slots__ __str__ __sub__ __subclasscheck__
__subclasshook__ __truediv__ __trunc__ __weakref__ __wrapped__ __xor__
ag_await ag_code ag_frame ag_running ag_suspended cr_await cr_frame gi_frame gi_running gi_yieldfrom
aclose asend athrow close read send throw _first _closed
"""
ASKED: dict[str, Callable[[Any], Any]] = {
    "isasyncgen": inspect.isasyncgen,
    "isawaitable": inspect.isawaitable,
    "isgenerator": inspect.isgenerator,
    "iscoroutine": inspect.iscoroutine,
    "dir": dir,
    "repr": lambda made: repr(made).partition(" at ")[0],
    "str": lambda made: str(made).partition(" at ")[0],
    "bool": bool,
    "class": lambda made: made.__class__,
    "names": lambda made: (made.__name__, made.__qualname__),
    "members": lambda made: [name for name, _ in inspect.getmembers(made)],
    "state": lambda made: (made.ag_running, made.ag_frame is None, made.ag_await),
    "weak": lambda made: weakref.ref(made)() is made,
    "equal": lambda made: (made == made, made != made, made == object(), hash(made) == hash(made)),  # noqa: PLR0124
}
FAILING: dict[str, Callable[[Any], Any]] = {
    "len": len,
    "iter": iter,
    "next": next,
    "call": lambda made: made(),
    "contains": lambda made: 1 in made,
    "index": lambda made: made[0],
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": pickle.dumps,
    "set": lambda made: setattr(made, "mine", 1),
    "delete": lambda made: delattr(made, "ag_frame"),
    "get": lambda made: made.mine,
    "add": lambda made: made + 1,
}


async def both(server: Any, async_client: Any, telemetry: Any, started: bool) -> list[Any]:
    """The SDK's own stream, and the same with the instrumentation; both before or after their first chunk."""
    server.reply(stream(), stream())
    made = [await chat(async_client)]
    OllamaInstrumentor().instrument(**telemetry.providers)
    made.append(await chat(async_client))
    for each in made if started else ():
        await anext(each)
    return made


def kinds_of(made: Any) -> dict[str, Any]:
    """Of which classes it is an instance; protocols refuse to say."""
    found: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is deprecated
        for name, kind in KINDS.items():
            try:
                found[name] = isinstance(made, kind)
            except TypeError:
                found[name] = "refused"
    return found


async def closed(made: list[Any]) -> None:
    """Nothing is left open."""
    for each in made:
        await each.aclose()


STARTED = pytest.mark.parametrize("started", [False, True], ids=["made", "read"])


@STARTED
async def test_the_async_stream_is_an_instance_of_what_the_bare_one_is(server, async_client, telemetry, started):
    """Of no abstract class of the standard library more, and of none less: not Iterable, Sized, Container, a context manager."""
    bare, ours = made = await both(server, async_client, telemetry, started)

    assert {"collections.abc.Sized", "contextlib.AbstractAsyncContextManager"} <= KINDS.keys()
    assert kinds_of(bare) == kinds_of(ours)
    await closed(made)


@STARTED
async def test_the_async_stream_has_what_the_bare_one_has(server, async_client, telemetry, started):
    """No special method or attribute more, and none less."""
    bare, ours = made = await both(server, async_client, telemetry, started)

    assert {name: hasattr(bare, name) for name in SPECIAL.split()} == {
        name: hasattr(ours, name) for name in SPECIAL.split()
    }
    await closed(made)


@STARTED
async def test_the_async_stream_answers_as_the_bare_one(server, async_client, telemetry, started):
    """By what Python asks with."""
    bare, ours = made = await both(server, async_client, telemetry, started)

    assert {name: ask(bare) for name, ask in ASKED.items()} == {name: ask(ours) for name, ask in ASKED.items()}
    await closed(made)


@STARTED
async def test_the_async_stream_refuses_what_the_bare_one_does(server, async_client, telemetry, started):
    """With the same kind of error."""
    made = await both(server, async_client, telemetry, started)

    raised: list[dict[str, type]] = [{}, {}]
    for each, errors in zip(made, raised, strict=True):
        for name, fail in FAILING.items():
            with pytest.raises((TypeError, AttributeError)) as error:
                fail(each)
            errors[name] = type(error.value)
    assert raised[0] == raised[1]
    await closed(made)


@STARTED
async def test_the_names_of_the_async_stream_can_be_set(server, async_client, telemetry, started):
    """As those of the bare one can."""
    bare, ours = made = await both(server, async_client, telemetry, started)

    for each in made:
        each.__name__ = "mine"
    assert bare.__name__ == ours.__name__ == "mine"
    await closed(made)
