"""The hook `upload`: content as files wherever `fsspec` can write, by `opentelemetry-util-genai`.

Names and formats of the files are theirs, so that what reads the uploads of other instrumentations reads ours. What is named
within the call is written later, by threads of ours, and not by theirs: those drop without a count what is more than twenty files.
"""

from __future__ import annotations

from hashlib import sha256
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..._conventions.names import (
    INPUT_MESSAGES,
    INPUT_MESSAGES_REF,
    OUTPUT_MESSAGES,
    OUTPUT_MESSAGES_REF,
    SYSTEM_INSTRUCTIONS,
    SYSTEM_INSTRUCTIONS_REF,
    TOOL_DEFINITIONS,
    TOOL_DEFINITIONS_REF,
)
from ..._masking.masking import masked
from ..._runtime.background import UnavailableError
from ..._runtime.guard import warn_once
from .ecosystem import is_plain_text, parts_of, tools_of
from .local_files import private_url

if TYPE_CHECKING:
    from collections.abc import Callable

    from .completion import Completion

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
    """The hook of the installed `opentelemetry-util-genai` is not built like those of the supported releases."""


class Upload:
    """The hook.

    Args:
        hook: theirs.
    """

    def __init__(self, hook: Any) -> None:
        self._hook = hook
        self._shared: dict[bytes, str] = {}  # files of tools by their digest: to name twenty tools takes a millisecond

    def references(self, completion: Completion) -> dict[str, str]:
        """Return attribute -> the file of that content, as the ecosystem's hook names it: by hash if it is shared."""
        system = completion.system_instructions
        digest = sha256(completion.content.get(TOOL_DEFINITIONS, "").encode()).digest()
        shared = self._shared.get(digest)
        places = self._hook._calculate_ref_path(
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
        places = completion.references or self.references(completion)
        failed = None
        for name, text_of in _TEXTS.items():
            place = places.get(_REFERENCES[name])
            if place is None:
                continue
            hashed = name == TOOL_DEFINITIONS or (name == SYSTEM_INSTRUCTIONS and is_plain_text(text_of(completion)))
            try:
                self._hook._do_upload(place, hashed, lambda: text_of(completion))  # noqa: B023 - called at once
            except Exception as error:  # noqa: BLE001 - the other files are tried, too
                failed = error
        if failed is not None:
            raise failed


def _made(kind: Callable[..., object], base_path: str, upload_format: str) -> object:
    """Return the ecosystem's hook, without having it create a folder: in an object store that could create a bucket."""
    return kind(base_path=private_url(base_path) or base_path, upload_format=upload_format)


_TEXTS: dict[str, Callable[[Completion], list[dict[str, Any]]]] = {
    INPUT_MESSAGES: lambda completion: completion.input_messages,
    OUTPUT_MESSAGES: lambda completion: completion.output_messages,
    SYSTEM_INSTRUCTIONS: lambda completion: completion.system_instructions,
    TOOL_DEFINITIONS: lambda completion: completion.tool_definitions,
}


def upload(base_path: str, upload_format: str) -> Upload:
    """Make the hook, which may wait for the storage.

    Args:
        base_path: a path or URL of `fsspec`.
        upload_format: `json` or `jsonl`.

    Raises:
        UnavailableError: it cannot be made, the reason has been logged.
        UnknownVersionError: the installed `opentelemetry-util-genai` is none that is known here.
    """
    try:
        kind: Any = getattr(import_module(_MODULE), "UploadCompletionHook", None)
    except ImportError as error:
        warn_once(
            "The completion hook upload needs opentelemetry-util-genai[upload], nothing is uploaded: %s. "
            "Install opentelemetry-instrumentation-genai[upload].",
            error,
        )
        raise UnavailableError from error
    if not all(hasattr(kind, name) for name in _USED):
        raise UnknownVersionError
    try:
        return Upload(_made(kind, base_path, upload_format))
    except Exception as error:
        why = masked(str(error))  # services quote the request
        warn_once("OTEL_INSTRUMENTATION_GENAI_UPLOAD_BASE_PATH cannot be written to, nothing is uploaded: %s", why)
        raise UnavailableError from error
