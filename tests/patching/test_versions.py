"""An SDK that is not supported, or that somebody else instruments, is left as it is, and one line says why."""

from __future__ import annotations

import logging
from collections.abc import Collection
from pathlib import Path
from typing import Any

import openai
import pytest
from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

from loopback import Json
from loopback.openai_bodies import CHAT, MODEL, completion
from loopback.processes import run
from opentelemetry_instrumentation_genai import OpenAIInstrumentor

OURS = "opentelemetry_instrumentation_genai"
NONE = dict.fromkeys(("OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER"), "none")
APP = """
import openai

print(openai.SyncAPIClient().request("cast to", "options"))
print([name for name, method in vars(openai.SyncAPIClient).items() if hasattr(method, "__wrapped__")])
"""
ANSWERED = ["what the SDK answers", "[]"]
INSTRUMENT = f"from {OURS} import OpenAIInstrumentor\nOpenAIInstrumentor().instrument()\n"
UNSUPPORTED = (
    "openai {} is installed, supported is >=1.26.0,<4: its calls are not instrumented. "
    "Install a supported version of it, or a version of opentelemetry-instrumentation-genai that supports yours."
)
OTHERS = (
    "openai is instrumented by somebody.elses.instrumentation already: its calls are not instrumented twice. "
    "Disable that, or set OTEL_INSTRUMENTATION_GENAI_ALLOW_OTHERS=true to have both."
)
# The modules that are patched, as far as a call needs them.
CLIENTS = """
class SyncAPIClient:
    def request(self, cast_to, options):
        return "what the SDK answers"

    def _process_response(self, **kwargs):
        pass

class AsyncAPIClient(SyncAPIClient):
    pass
"""


def install(folder: Path, **modules: str) -> None:
    """Puts a package `openai` of these modules where an application in ``folder`` finds it first."""
    package = folder / "openai"
    package.mkdir()
    for name, source in modules.items():
        (package / f"{name}.py").write_text(source, encoding="utf-8")


def install_version(folder: Path, version: str, *, first: str = "_version") -> None:
    """An SDK that is laid out like those of today, and imports the module ``first`` before the others."""
    install(
        folder,
        __init__=f"from . import {first}\nfrom ._version import __version__\nfrom ._base_client import SyncAPIClient",
        _version=f'__title__ = "openai"\n__version__ = "{version}"',
        _base_client=CLIENTS,
        _streaming="class Stream: pass\nclass AsyncStream: pass",
    )


@pytest.mark.process
@pytest.mark.parametrize("version", ["0.28.1", "1.25.9", "4.0.0", "4.0.0rc1", "4.1.0rc1", "10.0.0", "unknown"])
def test_an_unsupported_version(tmp_path, version):
    """One line names the version that is there and those that are supported; nothing is patched, the SDK works."""
    install_version(tmp_path, version)

    printed, logged = run(tmp_path, INSTRUMENT + APP)

    assert ANSWERED == printed
    assert [UNSUPPORTED.format(version)] == logged


@pytest.mark.process
def test_an_unsupported_version_under_opentelemetry_instrument(tmp_path):
    """The same line, once, and the application runs."""
    install_version(tmp_path, "4.1.0rc1")

    printed, logged = run(tmp_path, APP, instrumented=True, **NONE)

    assert ANSWERED == printed
    assert [UNSUPPORTED.format("4.1.0rc1")] == logged


@pytest.mark.process
def test_the_version_is_known_early(tmp_path):
    """Whatever of itself the SDK imports first: openai 1.26 imports what is patched before its own version."""
    install_version(tmp_path, "4.0.0", first="_base_client")

    assert (ANSWERED, [UNSUPPORTED.format("4.0.0")]) == run(tmp_path, INSTRUMENT + APP)


@pytest.mark.process
@pytest.mark.parametrize("instrumented", [True, False])
def test_the_layout_of_old_versions(tmp_path, instrumented):
    """Before 1.0 the SDK had neither `_version` nor `_base_client`, and is named all the same, by `openai.__version__`."""
    install(
        tmp_path,
        __init__="from openai.version import VERSION\n__version__ = VERSION\nclass ChatCompletion: pass",
        version='VERSION = "0.28.1"',
    )
    program = f"{'' if instrumented else INSTRUMENT}import openai\nprint(openai.ChatCompletion.__name__)"

    printed, logged = run(tmp_path, program, instrumented=instrumented, **NONE)

    assert ["ChatCompletion"] == printed
    assert 1 == len(logged)
    assert "0.28.1" in logged[0]
    assert ">=1.26.0,<4" in logged[0]


@pytest.mark.process
@pytest.mark.parametrize("version", ["1.26.0rc1", "3.99.0", "3.99.0.dev1", "3.99.0+local.1"])
def test_a_supported_version_that_is_built_otherwise(tmp_path, version):
    """Where what is patched is not there, it is patched wholly or not at all, a line says so, and the SDK works."""
    install_version(tmp_path, version)

    printed, logged = run(tmp_path, INSTRUMENT + APP)

    assert ANSWERED == printed
    assert 1 == len(logged)


@pytest.mark.process
def test_an_application_s_own_module_of_that_name(tmp_path):
    """A module `openai.py` of the application's own is not taken for the SDK."""
    (tmp_path / "openai.py").write_text("answer = 42", encoding="utf-8")

    assert (["42"], []) == run(tmp_path, INSTRUMENT + "import openai\nprint(openai.answer)")


@pytest.mark.process
def test_no_sdk_at_all(tmp_path):
    """An import that fails, fails as it does without us, and as often as it is tried."""
    install(tmp_path, __init__="raise ImportError('broken installation')")
    program = f"""{INSTRUMENT}
for _ in range(2):
    try:
        import openai
    except ImportError as error:
        print(type(error).__name__, error)
"""

    assert (["ImportError broken installation"] * 2, []) == run(tmp_path, program)


def test_supported_versions_are_those_of_the_metadata():
    """What is checked at run time is what the extra `openai` installs."""
    from importlib.metadata import requires

    (extra,) = [
        need
        for need in requires("opentelemetry-instrumentation-genai") or ()
        if "extra == 'openai'" in need.replace('"', "'")
    ]
    lowest, too_new = OpenAIInstrumentor.supported

    assert {f">={lowest}", f"<{too_new}"} == set(extra.partition(";")[0].strip().removeprefix("openai").split(","))


def test_the_installed_version_is_supported(server, telemetry, openai_client):
    """What these tests run with is followed."""
    server.reply(Json(completion()))
    OpenAIInstrumentor().instrument(**telemetry.providers)

    openai_client().chat.completions.create(**CHAT)

    assert f"chat {MODEL}" == telemetry.span.name, openai.__version__


def _instrumentor_of_others() -> BaseInstrumentor:
    """Somebody else's instrumentor of the SDK, which calls it as everybody does."""

    class OpenAIInstrumentor(BaseInstrumentor):  # type: ignore[misc]
        def instrumentation_dependencies(self) -> Collection[str]:
            return ()

        def _instrument(self, **kwargs: Any) -> None:
            pass

        def _uninstrument(self, **kwargs: Any) -> None:
            pass

    OpenAIInstrumentor.__module__ = "somebody.elses.instrumentation"
    return OpenAIInstrumentor()


@pytest.fixture
def others(monkeypatch) -> BaseInstrumentor:
    """The same, instrumented until the end of the test."""
    monkeypatch.setattr(f"{OURS}._runtime.guard._reported", set())
    instrumentor = _instrumentor_of_others()
    instrumentor.instrument()
    return instrumentor


@pytest.fixture
def called(server, telemetry, openai_client, caplog):
    """Instruments with these settings, makes a call, and returns how many spans it made and what was logged."""

    def call(**settings: Any) -> tuple[int, list[str]]:
        telemetry.clear()
        server.reply(Json(completion()))
        caplog.clear()
        with caplog.at_level(logging.WARNING, logger=OURS):
            OpenAIInstrumentor().instrument(**telemetry.providers, **settings)
            openai_client().chat.completions.create(**CHAT)
            OpenAIInstrumentor().uninstrument()
        return len(telemetry.spans), [record.getMessage() for record in caplog.records if record.name == OURS]

    return call


def test_instrumented_by_others(others, called):
    """Where another package's instrumentor is at work we stand back, and one line names it and the setting."""
    assert (0, [OTHERS]) == called()


def test_instrumented_by_others_is_logged_once(others, called):
    """Not at each `instrument()`."""
    called()

    assert (0, []) == called()


@pytest.mark.parametrize("setting", [True, "true", "TRUE"])
def test_both_are_allowed_by_keyword(others, called, setting):
    """With `allow_others` both report."""
    assert (1, []) == called(allow_others=setting)


def test_both_are_allowed_by_the_environment(others, called, monkeypatch):
    """With OTEL_INSTRUMENTATION_GENAI_ALLOW_OTHERS both report."""
    monkeypatch.setenv("OTEL_INSTRUMENTATION_GENAI_ALLOW_OTHERS", "true")

    assert (1, []) == called()


def test_others_that_are_not_at_work(others, called):
    """An instrumentor that was taken back, or never used, is no reason to stand back."""
    others.uninstrument()

    assert (1, []) == called()
