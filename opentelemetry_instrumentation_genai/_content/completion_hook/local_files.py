"""Local files that hold content: for their owner alone, whole or not there at all, and never where a symbolic link leads.

`fsspec` writes local files for everybody, through links, and piece by piece. So the hook `upload` is given a file system of ours
for local folders, which has a protocol of its own and names its files as `fsspec` does.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Generator
    from contextlib import AbstractContextManager
    from typing import TextIO

_PROTOCOL = "opentelemetry-genai-file"
_NO_LINK: int = getattr(os, "O_NOFOLLOW", 0)
_IN_FOLDER = os.open in os.supports_dir_fd and os.rename in os.supports_dir_fd
_EXCLUSIVE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def private_url(url: str) -> str | None:
    """Make a local folder, and return the URL by which `fsspec` gives our file system for it; None for a URL of another place.

    Raises:
        OSError: the folder cannot be made, is a symbolic link or none.
    """
    file_system, path = import_module("fsspec").url_to_fs(url)
    if type(file_system) is not import_module("fsspec.implementations.local").LocalFileSystem:
        return None
    make_folder(path)
    import_module("fsspec").register_implementation(_PROTOCOL, _private_files(), clobber=True)
    return f"{_PROTOCOL}://{path}"


def make_folder(path: str) -> None:
    """Make a folder, with what is above it, for its owner alone. One that exists stays as it is.

    Raises:
        OSError: it cannot be made, is a symbolic link or no folder.
    """
    folder = Path(path)
    if folder.is_symlink():
        raise OSError(errno.ELOOP, "it is a symbolic link, which is not followed", path)
    missing = []
    for above in (folder, *folder.parents):
        if above.exists():
            break
        missing.append(above)
    for above in reversed(missing):
        with suppress(FileExistsError):  # another process makes it, too
            above.mkdir(0o700)
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), path)


@contextmanager
def private_file(path: str) -> Generator[TextIO, None, None]:
    """Open a temporary file for text, which replaces the file of that name when the block ends without an error.

    Args:
        path: of the file. Whatever has its name is replaced, and not followed if it is a link.

    Raises:
        OSError: it cannot be written, or its folder is a symbolic link.
    """
    folder, name = os.path.split(path)
    partial = f".{name}.{token_hex(8)}.partial"
    with _opened(folder) as at:
        if at is None:
            name, partial = path, str(Path(folder, partial))
        made = os.open(partial, _EXCLUSIVE, 0o600, dir_fd=at)
        try:
            with os.fdopen(made, "w", encoding="utf-8", newline="\n") as file:
                yield file
            os.replace(partial, name, src_dir_fd=at, dst_dir_fd=at)
        except BaseException:
            with suppress(OSError):
                os.unlink(partial, dir_fd=at)
            raise


@contextmanager
def _opened(folder: str) -> Generator[int | None, None, None]:
    """Yield a folder's descriptor, so that it cannot be replaced by a link meanwhile; None if the system does not support that."""
    if not _IN_FOLDER:
        yield None
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | _NO_LINK)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@cache
def _private_files() -> type:
    """Return the file system, a class below one of `fsspec`, which only the extra `upload` has."""
    local: Any = import_module("fsspec.implementations.local").LocalFileSystem

    class PrivateFiles(local):  # type: ignore[misc] # fsspec has no types
        """Local files for their owner alone."""

        protocol = (_PROTOCOL, *local.protocol)

        def unstrip_protocol(self, name: str) -> str:
            """Return a path as a URL, which everybody's `fsspec` knows."""
            return f"file://{self._strip_protocol(name)}"

        def exists(self, path: str, **_options: object) -> bool:
            """Return whether there is a file, of which a symbolic link is none."""
            try:
                return stat.S_ISREG(os.lstat(self._strip_protocol(path)).st_mode)
            except OSError:
                return False

        def open(self, path: str, mode: str = "r", **_options: object) -> AbstractContextManager[TextIO]:
            """Open a file for text; no other mode is supported."""
            if mode != "w":
                raise NotImplementedError(mode)
            return private_file(self._strip_protocol(path))

    return PrivateFiles
