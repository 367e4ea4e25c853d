"""A process that is run to its end, whatever interrupts it."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping, Sequence
    from types import FrameType

_PASSED_ON = ("SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT")


def run_to_its_end(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command, with the terminal and the pipes of this process, and return its exit status.

    Signals are passed on, so that the command decides what becomes of it; those that a terminal sends it has already. A command that was
    ended by a signal has the status 128 and the number of the signal, as in a shell.
    """
    running: list[subprocess.Popen[bytes]] = []

    def pass_on(number: int, _frame: FrameType | None) -> None:
        if number in _OF_TERMINALS and _is_in_foreground():
            return
        for process in running:
            with suppress(OSError):
                process.send_signal(number)

    # Not ignored: the command would inherit that.
    with _handled(pass_on), subprocess.Popen(command, env={**environment}) as process:  # noqa: S603 - it is what they typed
        running.append(process)
        status = process.wait()
    return status if status >= 0 else 128 - status


_OF_TERMINALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGQUIT") if hasattr(signal, name))


@contextmanager
def _handled(action: Callable[[int, FrameType | None], None]) -> Generator[None, None, None]:
    numbers = [getattr(signal, name) for name in _PASSED_ON if hasattr(signal, name)]
    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        # What this process ignores, as under nohup, the command ignores too.
        if before[number] is not signal.SIG_IGN:
            signal.signal(number, action)
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)


def _is_in_foreground() -> bool:
    """Return whether what is typed at the terminal, such as Ctrl-C, reaches this process and the command alike."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY)
    except OSError:
        return os.name == "nt"
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
