"""The hook `upload`: content as files wherever `fsspec` can write, by `opentelemetry-util-genai`.

Names and formats of the files are theirs, so that what reads the uploads of other instrumentations reads ours. What is named
within the call is written later, by threads of ours, and not by theirs: those drop without a count what is more than twenty files.
"""

from __future__ import annotations

import os
from concurrent.futures import Future, TimeoutError as FutureTimeoutError
from functools import partial
from hashlib import sha256
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING, Any

from opentelemetry.instrumentation.utils import suppress_instrumentation

from ._attributes import (
    INPUT_MESSAGES,
    INPUT_MESSAGES_REF,
    OUTPUT_MESSAGES,
    OUTPUT_MESSAGES_REF,
    SYSTEM_INSTRUCTIONS,
    SYSTEM_INSTRUCTIONS_REF,
    TOOL_DEFINITIONS,
    TOOL_DEFINITIONS_REF,
)
from ._ecosystem import is_plain_text, parts_of, tools_of
from ._guard import say_once
from ._local_files import private_url
from ._masking import masked

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ._completion import Completion

WORKERS = 8
"""How many threads write at the same time: a storage service answers in tenths of seconds."""
_PATIENCE = 5.0  # seconds that the import of an SDK may take longer, because a storage service does not answer
_SHARED = 256
_USED = ("_calculate_ref_path", "_do_upload")
_MODULE = "opentelemetry.util.genai._upload.completion_hook"


_REFERENCES = {
    INPUT_MESSAGES: INPUT_MESSAGES_REF,
    OUTPUT_MESSAGES: OUTPUT_MESSAGES_REF,
    SYSTEM_INSTRUCTIONS: SYSTEM_INSTRUCTIONS_REF,
    TOOL_DEFINITIONS: TOOL_DEFINITIONS_REF,
}


class UnknownVersionError(Exception):
    """A release of `opentelemetry-util-genai` whose hook is not made like those that we know."""


class Upload:
    """The hook.

    Args:
        make: makes their hook, which may wait for the storage.
    """

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._made: dict[int, Future[Any]] = {}  # by process: a file system does not survive a fork
        self._shared: dict[bytes, str] = {}  # files of tools by their digest: to name twenty tools takes a millisecond

    def begin(self) -> bool:
        """Have their hook made; False, and a warning, if that fails soon. What is slow goes on without being waited for."""
        made = self._made[os.getpid()] = Future()
        Thread(target=self._fill, args=(made,), name="opentelemetry-genai-upload", daemon=True).start()
        try:
            error = made.exception(timeout=_PATIENCE)
        except FutureTimeoutError:
            say_once(
                "The place to upload to has not answered in %s s: what is uploaded till it does is not referred to.",
                _PATIENCE,
            )
            return True
        if error is not None:
            why = masked(str(error))  # services quote what they were asked
            say_once("OTEL_INSTRUMENTATION_GENAI_UPLOAD_BASE_PATH cannot be written to, nothing is uploaded: %s", why)
        return error is None

    def _fill(self, made: Future[Any]) -> None:
        try:
            with suppress_instrumentation():
                made.set_result(self._make())
        except BaseException as error:  # noqa: BLE001 - whoever waits for it gets it
            made.set_exception(error)

    def references(self, completion: Completion) -> Mapping[str, str]:
        """The files that the content will be in. After a fork, names are those of the parent's hook, which touches no file for it."""
        named = self._made.get(os.getpid()) or next(iter(self._made.values()))
        known = named.done() and named.exception() is None
        return self._named(named.result(), completion) if known else {}

    def _named(self, hook: Any, completion: Completion) -> dict[str, str]:
        """Attribute -> the file of that content, as their hook names it: what many calls share, by its hash."""
        system = completion.system_instructions
        digest = sha256(completion.content.get(TOOL_DEFINITIONS, "").encode()).digest()
        shared = self._shared.get(digest)
        places = hook._calculate_ref_path(
            parts_of(system) if is_plain_text(system) else [],
            tools_of(completion.tool_definitions) if shared is None else None,
        )
        if shared is None:
            if len(self._shared) >= _SHARED:
                self._shared.clear()
            shared = self._shared[digest] = places.tool_definitions_ref
        named = {
            INPUT_MESSAGES: places.inputs_ref,
            OUTPUT_MESSAGES: places.outputs_ref,
            SYSTEM_INSTRUCTIONS: places.system_instruction_ref,
            TOOL_DEFINITIONS: shared,
        }
        return {_REFERENCES[name]: named[name] for name in named if completion.content.get(name, "[]") != "[]"}

    def __call__(self, completion: Completion) -> None:
        """Write them.

        Raises:
            Exception: whatever the storage raised last.
        """
        hook = self._writing()
        places = completion.references or self._named(hook, completion)
        failed = None
        for name, text_of in _TEXTS.items():
            place = places.get(_REFERENCES[name])
            if place is None:
                continue
            hashed = name == TOOL_DEFINITIONS or (name == SYSTEM_INSTRUCTIONS and is_plain_text(text_of(completion)))
            try:
                hook._do_upload(place, hashed, lambda: text_of(completion))  # noqa: B023 - called at once
            except Exception as error:  # noqa: BLE001 - the other files are tried, too
                failed = error
        if failed is not None:
            raise failed

    def _writing(self) -> Any:
        """Their hook of this process."""
        made = self._made.get(os.getpid())
        if made is None:  # of two threads that make one, the later stays
            made = self._made[os.getpid()] = Future()
            self._fill(made)
        if made.exception() is not None:
            self._made.pop(os.getpid(), None)  # the next completion tries it again
        return made.result()


def _made(kind: Callable[..., Any], base_path: str, upload_format: str) -> Any:
    """Their hook. They make no folder; object stores have none, and to make one there could make a bucket."""
    return kind(base_path=private_url(base_path) or base_path, upload_format=upload_format)


_TEXTS: dict[str, Callable[[Completion], list[dict[str, Any]]]] = {
    INPUT_MESSAGES: lambda completion: completion.input_messages,
    OUTPUT_MESSAGES: lambda completion: completion.output_messages,
    SYSTEM_INSTRUCTIONS: lambda completion: completion.system_instructions,
    TOOL_DEFINITIONS: lambda completion: completion.tool_definitions,
}


def upload(base_path: str | None, upload_format: str) -> Upload | None:
    """The hook; None, and a warning, where it cannot be made.

    Args:
        base_path: a path or URL of `fsspec`.
        upload_format: `json` or `jsonl`.

    Raises:
        UnknownVersionError: the installed `opentelemetry-util-genai` is none that is known here.
    """
    if not base_path:
        say_once("The completion hook upload needs OTEL_INSTRUMENTATION_GENAI_UPLOAD_BASE_PATH: nothing is uploaded.")
        return None

    try:
        kind: Any = getattr(import_module(_MODULE), "UploadCompletionHook", None)
    except ImportError as error:
        say_once(
            "The completion hook upload needs opentelemetry-util-genai[upload], nothing is uploaded: %s. "
            "Install opentelemetry-instrumentation-genai[upload].",
            error,
        )
        return None
    if not all(hasattr(kind, name) for name in _USED):
        raise UnknownVersionError
    made = Upload(partial(_made, kind, base_path, upload_format))
    return made if made.begin() else None
