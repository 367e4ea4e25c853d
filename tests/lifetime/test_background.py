"""What takes time is made when the first call starts, in the background: no import, no call and no exit waits for it."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from loopback import Json
from loopback.openai_bodies import completion
from loopback.processes import run

pytestmark = pytest.mark.process

PREFIX = "OTEL_INSTRUMENTATION_GENAI_"
# Whatever calls `wait_for_ever` never returns; the program says what happened before it.
APPLICATION = """
import threading
asked = threading.Event()
def wait_for_ever():
    asked.set()
    threading.Event().wait()
import builtins
builtins.wait_for_ever = wait_for_ever
{before}
from opentelemetry_instrumentation_genai import OpenAIInstrumentor
OpenAIInstrumentor().instrument()
from openai import OpenAI
print("imported", asked.is_set())
client = OpenAI(max_retries=0)
print("called", client.chat.completions.create(model="gpt-4o", messages=[]).choices[0].message.content)
print("asked", asked.wait({seconds}))
"""
STORE = """
import fsspec
class Store(fsspec.AbstractFileSystem):
    protocol = "stuck"
    def __init__(self, *args, **options):
        wait_for_ever()
fsspec.register_implementation("stuck", Store)
"""
LOST = "The completion hook {} was not done at exit: 1 completions are lost."


@pytest.fixture
def ask(tmp_path: Path, server) -> Callable[..., tuple[list[str], list[str]]]:
    """Runs the application, and returns the lines that it wrote, and what we wrote."""

    def ask(before: str = "", seconds: float = 10, **settings: str) -> tuple[list[str], list[str]]:
        server.reply_always(Json(completion()))
        environment = {PREFIX + name.upper(): value for name, value in settings.items()}
        environment |= {"OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_API_KEY": "k"}
        return run(tmp_path, APPLICATION.format(before=before, seconds=seconds), **environment)

    return ask


def uploading(place: str) -> dict[str, str]:
    """The settings for uploads to a place."""
    return {"completion_hook": "upload", "upload_base_path": place, "completion_hook_flush_timeout": "0.1"}


def test_a_store_that_never_answers(ask):
    """It is asked by the first call, and nobody waits for it but a thread of ours; at exit the documented time is waited."""
    pytest.importorskip("fsspec", reason="uploading needs the extra `upload`")

    written, logged = ask(STORE, **uploading("stuck://place"))

    assert ["imported False", "called Hello", "asked True"] == written
    assert [LOST.format("upload")] == logged


def test_a_server_that_never_answers(ask):
    """A store on a real connection, which nobody closes while the process runs."""
    pytest.importorskip("fsspec", reason="uploading needs the extra `upload`")
    with socket.create_server(("127.0.0.1", 0)) as store:
        settings = uploading(f"ftp://127.0.0.1:{store.getsockname()[1]}/place")
        written, logged = ask(seconds=0, **settings | {"completion_hook_flush_timeout": "5"})

        store.settimeout(10)
        store.accept()[0].close()

    assert ["imported False", "called Hello", "asked False"] == written
    assert [LOST.format("upload")] == logged


def test_a_store_that_is_not_there(ask):
    """One warning, at the first call; the process does not wait at its end."""
    pytest.importorskip("fsspec", reason="uploading needs the extra `upload`")
    with socket.create_server(("127.0.0.1", 0)) as store:
        port = store.getsockname()[1]

    written, logged = ask(
        seconds=0, **uploading(f"ftp://127.0.0.1:{port}/place") | {"completion_hook_flush_timeout": "60"}
    )

    assert ["imported False", "called Hello", "asked False"] == written
    (warning,) = logged
    assert warning.startswith("OTEL_INSTRUMENTATION_GENAI_UPLOAD_BASE_PATH cannot be written to, nothing is uploaded: ")


def test_a_hook_with_a_module_that_never_ends(ask, tmp_path):
    """The hook of an entry point is loaded likewise."""
    (tmp_path / "their_hooks.py").write_text("wait_for_ever()", encoding="utf-8")
    information = tmp_path / "their_hooks-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: their-hooks\nVersion: 1\n", encoding="utf-8")
    group = "[opentelemetry_genai_completion_hook]\ntheirs = their_hooks:make\n"
    (information / "entry_points.txt").write_text(group, encoding="utf-8")

    written, logged = ask(completion_hook="theirs", completion_hook_flush_timeout="0.1")

    assert ["imported False", "called Hello", "asked True"] == written
    assert [LOST.format("theirs")] == logged


def test_a_price_list_that_never_ends(ask, tmp_path):
    """Is loaded likewise; that calls had no cost meanwhile is logged once."""
    (tmp_path / "genai_prices.py").write_text("wait_for_ever()", encoding="utf-8")

    written, logged = ask(prices="genai-prices")

    assert ["imported False", "called Hello", "asked True"] == written
    assert [
        "The prices of genai-prices are still being loaded: calls that end before they are there have no gen_ai.usage.cost."
    ] == logged
