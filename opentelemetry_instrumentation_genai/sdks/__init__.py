"""Further SDKs, one module or folder each: those of the Stainless family, google-genai and boto3."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # These are imported by their names when their SDK is patched. Programs that bundle an application find them here.
    from .letta import _endpoints as letta_endpoints  # noqa: F401 # pyright: ignore[reportUnusedImport]
    from .llama_api import _endpoints as llama_api_endpoints  # noqa: F401 # pyright: ignore[reportUnusedImport]
    from .portkey import _endpoints as portkey_endpoints  # noqa: F401 # pyright: ignore[reportUnusedImport]
    from .writer import _endpoints as writer_endpoints  # noqa: F401 # pyright: ignore[reportUnusedImport]
