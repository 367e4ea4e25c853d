"""A summary and a conversation that nobody sees, so that nothing is left to import when the process ends.

Where KeyboardInterrupt ends a process, CPython makes its exit status that of SIGINT, unless a text is compiled and run after it; and that is
what the import of a module with a dataclass or a named tuple does. Supervisors and shells look at this status.
"""

from __future__ import annotations

import io
from functools import partial

from ..._conventions import names
from .known import Known
from .lines import conversation_lines
from .messages import Message
from .record import Record
from .summary import summary
from .tally import Tally
from .terminal import Terminal


def rehearse() -> None:
    """Show a call and its summary to nobody."""
    attributes = {names.OPERATION_NAME: "chat", names.USAGE_COST: 0.1}
    messages = (Message("user", "…"),)
    record = Record("t", "s", "", False, "chat", 0, 1, True, "", "", attributes, messages)
    tally, terminal = Tally(), Terminal(io.StringIO())
    tally.add(record)
    tally.dump()
    terminal.write(lambda _width: conversation_lines([record], Known(), 80))
    terminal.write(partial(summary, tally))
