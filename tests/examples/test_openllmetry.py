"""The example of a program that moves from OpenLLMetry does what its README says, before and after."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from example_runs import EXAMPLES, TOKENS, Running, counted, drawn, metric_names, needs, shown, summed, tree
from loopback import OtlpReceiver

pytestmark = [pytest.mark.exhaustive, pytest.mark.process]

if shutil.which("sh") is None:
    pytest.skip("the examples are started by `sh`, which is not there", allow_module_level=True)

# Of the second call alone there is a cache, and each has an id.
DIFFERENT = {"gen_ai.response.id", "gen_ai.usage.cache_read.input_tokens"}


def rows() -> dict[str, list[str]]:
    """The table of attributes in the README: those of OpenLLMetry, and what has each of them here."""
    page = (EXAMPLES / "from_openllmetry" / "README.md").read_text(encoding="utf-8")
    table = page.partition("## What becomes of the attributes")[2].partition("\n## ")[0]
    found = re.findall(r"^\| `([^`]+)` \| (.*) \|$", table, re.MULTILINE)
    return {left: re.findall(r"`((?:\w+\.)+\w+)`", right) for left, right in found}


def comparable(value: Any) -> Any:
    """A value, or what it says where it is JSON, whatever the order of keys and the space are."""
    return json.loads(value) if isinstance(value, str) and value.startswith("[") else value


@needs("traceloop", environment="openllmetry")
def test_from_openllmetry(start: Callable[..., Running], receiver: OtlpReceiver) -> None:
    """Both programs answer the same; the table of the README has all attributes of the old one, and what has them now."""
    status, printed, errors = start("from_openllmetry").ended()

    assert (0, "") == (status, errors)
    # OpenLLMetry resets the colours of the terminal.
    assert shown("from_openllmetry") == [line for line in printed.splitlines() if line != "\x1b[39m"]
    assert [
        "answer from notes.workflow INTERNAL before",
        "  make prompt.task INTERNAL before",
        "  openai.chat CLIENT before",
        "invoke_workflow answer from notes INTERNAL after",
        "  step make prompt INTERNAL after",
        "  chat gpt-4.1-mini CLIENT after",
    ] == tree(receiver.spans, "service.name")
    assert drawn("from_openllmetry") == [line.rpartition(" ")[0] for line in tree(receiver.spans)]
    spans = {span["name"]: span["attributes"] for span in receiver.spans}
    before = [spans[name] for name in ("answer from notes.workflow", "make prompt.task", "openai.chat")]
    after = [spans[name] for name in ("invoke_workflow answer from notes", "step make prompt", "chat gpt-4.1-mini")]
    table = rows()
    assert set().union(*before) == table.keys()
    # Nothing streams here, and no workflow has an input.
    here = set().union(*table.values()) - {"gen_ai.request.stream"}
    assert set() == here - set().union(*after)
    of_both = {name for name, found in table.items() if found == [name]} - DIFFERENT
    assert 10 < len(of_both)
    for name in of_both:
        assert comparable(before[-1][name]) == comparable(after[-1][name]), name
    pseudonym = hmac.new(b"a secret of the service", b"ana", hashlib.sha256).hexdigest()
    assert {pseudonym} == {found["enduser.pseudo.id"] for found in after}
    assert {"trip-1"} == {found["gen_ai.conversation.id"] for found in after}
    # Each call is counted once by each.
    assert {("input",): 2 * 58, ("output",): 2 * 11} == summed(receiver, TOKENS, "gen_ai.token.type")
    assert {("input",): 2, ("output",): 2} == counted(receiver, TOKENS, "gen_ai.token.type")
    assert {"gen_ai.client.operation.duration", TOKENS} <= metric_names(receiver)
