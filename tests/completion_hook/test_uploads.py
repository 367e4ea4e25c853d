"""The completion hook `upload`: files by `opentelemetry-util-genai`, wherever `fsspec` can write."""

from __future__ import annotations

import json
import logging
import os
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from loopback import Json, Sse
from loopback.openai_bodies import CHAT, chunks, completion, error
from loopback.schemas import complaints
from opentelemetry_instrumentation_genai import OpenAIInstrumentor, capture_content

fsspec = pytest.importorskip("fsspec", reason="uploading needs the extra `upload`")
theirs = pytest.importorskip(
    "opentelemetry.util.genai._upload.completion_hook", reason="uploading needs the extra `upload`"
)

OURS = "opentelemetry_instrumentation_genai"
PREFIX = "OTEL_INSTRUMENTATION_GENAI_"
REFS = {
    "gen_ai.input.messages": "inputs",
    "gen_ai.output.messages": "outputs",
    "gen_ai.system_instructions": "system_instruction",
    "gen_ai.tool.definitions": "tool.definitions",
}
TOOL = {"type": "function", "function": {"name": "find", "parameters": {"type": "object"}, "strict": True}}
ANSWERED = [{"role": "assistant", "parts": [{"type": "text", "content": "Hello"}], "finish_reason": "stop"}]
RESPONSE = {"model": "m", "instructions": "Be brief", "input": "Hi"}


@pytest.fixture(autouse=True)
def warn_again(monkeypatch) -> None:
    """Warnings that are logged once per process are logged again."""
    monkeypatch.setattr(f"{OURS}._runtime.guard._reported", set())


@pytest.fixture
def logged(caplog) -> Callable[[], list[str]]:
    """What we, or those who upload, have logged so far."""
    caplog.set_level(logging.WARNING)
    return lambda: [record.getMessage() for record in caplog.records if record.name.startswith("opentelemetry")]


@pytest.fixture
def instrument(telemetry) -> Callable[..., Callable[[], None]]:
    """Instruments with these settings; what is returned takes it back, and so has waited for the uploads."""

    def start(**settings: Any) -> Callable[[], None]:
        OpenAIInstrumentor().instrument(**telemetry.providers, **settings)
        return OpenAIInstrumentor().uninstrument

    return start


@pytest.fixture(params=["file", "memory"])
def place(request, tmp_path) -> str:
    """A place to upload to, as a URL."""
    return f"file://{tmp_path}" if request.param == "file" else f"memory:///{tmp_path.name}"


def read(reference: Any) -> str:
    """What is in a file that a span refers to."""
    with fsspec.open(reference, "r") as file:
        text: str = file.read()
    return text


def uploaded(attributes: Any) -> dict[str, Any]:
    """Attribute of content -> what the file says that a span or an event refers to with it."""
    return {name: json.loads(read(attributes[f"{name}_ref"])) for name in REFS if f"{name}_ref" in attributes}


@pytest.mark.parametrize("spelled", ["variables", "keywords"])
def test_files_hold_what_a_span_would(server, telemetry, openai_client, instrument, *, place, spelled, monkeypatch):
    """Span and event refer to files that hold the content by its schemas, the same as a span with content has."""
    settings = {"completion_hook": "upload", "upload_base_path": place}
    if spelled == "variables":
        for name, value in settings.items():
            monkeypatch.setenv(PREFIX + name.upper(), value)
        settings = {}
    done = instrument(**settings, capture_message_content="span_only", emit_event=True)
    server.reply(Json(completion()))
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    call = {"id": "1", "type": "function", "function": {"name": "find", "arguments": '{"é": 1}'}}
    messages = [
        {"role": "system", "content": "Be brief"},
        {"role": "user", "content": [{"type": "text", "text": "Hi"}, image]},
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "1", "content": "found"},
    ]

    openai_client().chat.completions.create(model="m", messages=messages, tools=[TOOL])
    done()

    span, (event,) = telemetry.span.attributes, telemetry.events
    content = {name: json.loads(span[name]) for name in REFS if name in span}
    assert {"gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.tool.definitions"} == content.keys()
    assert content == uploaded(span)
    assert content == uploaded(event.attributes)
    assert [[], [], []] == [complaints(name, value) for name, value in content.items()]
    assert content.keys().isdisjoint(event.attributes)
    for name in content:
        reference = span[f"{name}_ref"]
        assert reference.startswith(place)
        assert reference.endswith(f"_{REFS[name]}.json")


def test_what_many_calls_share_is_in_one_file(server, telemetry, openai_client, instrument, tmp_path):
    """Instructions and tools are named by what they say."""
    client = openai_client()
    if not hasattr(client, "responses"):
        pytest.skip("this version of the SDK has no Responses API")
    from loopback.openai_bodies import response

    done = instrument(completion_hook="upload", upload_base_path=str(tmp_path))
    server.reply_always(Json(response()))

    for _ in range(2):
        client.responses.create(
            **RESPONSE, tools=[{"type": "function", "name": "find", "parameters": {}, "strict": True}]
        )
    done()

    one, other = (uploaded(span.attributes) for span in telemetry.spans)
    assert [{"type": "text", "content": "Be brief"}] == one["gen_ai.system_instructions"]
    assert one == other
    assert 6 == len([*tmp_path.iterdir()])
    first, second = telemetry.spans
    shared = ["gen_ai.system_instructions_ref", "gen_ai.tool.definitions_ref"]
    assert [first.attributes[name] for name in shared] == [second.attributes[name] for name in shared]
    assert first.attributes["gen_ai.input.messages_ref"] != second.attributes["gen_ai.input.messages_ref"]


def test_lines(server, telemetry, openai_client, instrument, tmp_path):
    """A line for each message, with its index, where that is asked for."""
    done = instrument(completion_hook="upload", upload_base_path=str(tmp_path), upload_format="jsonl")
    server.reply(Json(completion()))

    openai_client().chat.completions.create(
        **{**CHAT, "messages": [*CHAT["messages"], {"role": "user", "content": "Ho"}]}
    )
    done()

    reference = telemetry.span.attributes["gen_ai.input.messages_ref"]
    assert reference.endswith(".jsonl")
    assert [
        {"role": "user", "parts": [{"type": "text", "content": "Hi"}], "index": 0},
        {"role": "user", "parts": [{"type": "text", "content": "Ho"}], "index": 1},
    ] == [json.loads(line) for line in read(reference).splitlines()]


SECRETS = "write to joe@example.com, my key is sk-proj-" + "a1B2" * 12


def test_no_secret_is_uploaded(server, openai_client, instrument, tmp_path):
    """What is redacted on spans is not in the files either, whatever part of the call it was in."""
    done = instrument(completion_hook="upload", upload_base_path=str(tmp_path), redact="all")
    server.reply(Json(completion(SECRETS)))
    tool = {
        "type": "function",
        "function": {"name": "find", "description": SECRETS, "parameters": {"default": SECRETS}},
    }
    messages = [{"role": "system", "content": SECRETS}, {"role": "user", "content": SECRETS}]

    openai_client().chat.completions.create(model="m", messages=messages, tools=[tool])
    done()

    files = [*tmp_path.iterdir()]
    together = b"".join(path.read_bytes() for path in files)
    assert 3 == len(files)
    assert b"find" in together
    assert b"joe@example.com" not in together
    assert b"sk-proj-" not in together


def test_a_budget(server, telemetry, openai_client, instrument, tmp_path):
    """What a budget has cut is marked in the files as it is on spans."""
    done = instrument(completion_hook="upload", upload_base_path=str(tmp_path), content_budget=1000)
    server.reply(Json(completion("word " * 1000)))

    openai_client().chat.completions.create(**CHAT)
    done()

    content = uploaded(telemetry.span.attributes)
    assert 5000 == content["gen_ai.output.messages"][0]["parts"][0]["original_bytes"]
    assert telemetry.span.attributes["gen_ai.content.original_bytes"] > 5000


@pytest.mark.parametrize("way", ["a stream", "a failure"])
def test_other_ends(server, telemetry, openai_client, instrument, *, tmp_path, way):
    """A stream is uploaded as it was received, a call that failed with what it asked."""
    done = instrument(completion_hook="upload", upload_base_path=str(tmp_path))
    client = openai_client()
    if way == "a stream":
        server.reply(Sse(chunks("Hel", "lo")))
        for _ in client.chat.completions.create(**CHAT, stream=True):
            pass
    else:
        server.reply(Json(error("no"), status=400))
        with pytest.raises(Exception, match="no"):
            client.chat.completions.create(**CHAT)
    done()

    asked = {"gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]}
    answered = {"gen_ai.output.messages": ANSWERED} if way == "a stream" else {}
    assert asked | answered == uploaded(telemetry.span.attributes)


async def test_asynchronous_calls(server, telemetry, async_openai_client, instrument, tmp_path):
    """The files are written beside the event loop."""
    done = instrument(completion_hook="upload", upload_base_path=str(tmp_path))
    server.reply(Json(completion()))

    await async_openai_client().chat.completions.create(**CHAT)
    done()

    assert ANSWERED == uploaded(telemetry.span.attributes)["gen_ai.output.messages"]


def test_a_block_without_content(server, telemetry, openai_client, instrument, tmp_path):
    """Nothing is uploaded, and nothing referred to."""
    done = instrument(completion_hook="upload", upload_base_path=str(tmp_path))
    server.reply(Json(completion()))

    with capture_content("no_content"):
        openai_client().chat.completions.create(**CHAT)
    done()

    assert [] == [*tmp_path.iterdir()]
    assert [] == [name for name in telemetry.span.attributes if name.endswith("_ref")]


def test_a_place_that_cannot_be_written_to(server, telemetry, openai_client, instrument, *, tmp_path, logged):
    """A warning, at the start where the installed release tries it, and the calls are recorded as ever."""
    (tmp_path / "file").write_text("in the way")
    done = instrument(completion_hook="upload", upload_base_path=str(tmp_path / "file" / "folder"))
    server.reply(Json(completion()))

    openai_client().chat.completions.create(**CHAT)
    done()

    (warning,) = logged()
    assert warning.startswith(
        (
            "OTEL_INSTRUMENTATION_GENAI_UPLOAD_BASE_PATH cannot be written to, nothing is uploaded: ",
            "The completion hook upload raised NotADirectoryError",
            "The completion hook upload raised FileExistsError",
        )
    )
    assert "chat gpt-4o-mini" == telemetry.span.name


@pytest.mark.parametrize("url", [True, False], ids=["URL", "path"])
def test_a_folder_that_does_not_exist(server, telemetry, openai_client, instrument, *, tmp_path, logged, url):
    """Is made, with what is above it, by the first call."""
    folder = tmp_path / "some" / "folder"
    done = instrument(completion_hook="upload", upload_base_path=f"file://{folder}" if url else str(folder))
    client = openai_client()
    server.reply(Json(completion()))

    client.chat.completions.create(**CHAT)
    done()

    assert ANSWERED == uploaded(telemetry.span.attributes)["gen_ai.output.messages"]
    assert [] == logged()


def modes(folder: Path) -> dict[str, int]:
    """The permissions of a folder and of what is in it."""
    return {path.name: stat.S_IMODE(path.lstat().st_mode) for path in (folder, *folder.iterdir())}


posix = pytest.mark.skipif(os.name != "posix", reason="permissions and links are those of POSIX")


@pytest.fixture
def open_umask() -> Iterator[None]:
    """As in many containers: what is written is for everybody, unless it is set otherwise."""
    before = os.umask(0)
    yield
    os.umask(before)


@posix
@pytest.mark.usefixtures("open_umask")
@pytest.mark.parametrize("upload_format", ["json", "jsonl"])
@pytest.mark.parametrize("url", [True, False], ids=["URL", "path"])
def test_local_files_are_for_their_owner_alone(
    server, openai_client, instrument, *, tmp_path, logged, url, upload_format
):
    """0600, in folders of 0700 where they are made, and nothing is left beside them."""
    folder = tmp_path / "made" / "for it"
    place = f"file://{folder}" if url else str(folder)
    done = instrument(completion_hook="upload", upload_base_path=place, upload_format=upload_format)
    server.reply(Json(completion()))

    openai_client().chat.completions.create(**CHAT, tools=[TOOL])
    done()

    assert 0o700 == stat.S_IMODE(folder.parent.stat().st_mode)
    found = modes(folder)
    assert 0o700 == found.pop("for it")
    assert {0o600} == {*found.values()}
    assert [f"inputs.{upload_format}", f"outputs.{upload_format}", f"tool.definitions.{upload_format}"] == sorted(
        name.partition("_")[2] for name in found
    )
    assert [] == logged()


@posix
def test_a_folder_that_exists_keeps_its_permissions(server, openai_client, instrument, *, tmp_path):
    """It is the user's; the files are for their owner alone."""
    folder = tmp_path / "folder"
    folder.mkdir()
    folder.chmod(0o755)
    done = instrument(completion_hook="upload", upload_base_path=str(folder))
    server.reply(Json(completion()))

    openai_client().chat.completions.create(**CHAT)
    done()

    found = modes(folder)
    assert 0o755 == found.pop("folder")
    assert {0o600} == {*found.values()}


@posix
def test_a_folder_that_is_a_symbolic_link(server, telemetry, openai_client, instrument, *, tmp_path, logged):
    """Is not followed, which is logged; what stands above it may be links, as on many systems."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to("elsewhere")
    done = instrument(completion_hook="upload", upload_base_path=str(tmp_path / "link"))
    server.reply_always(Json(completion()))
    openai_client().chat.completions.create(**CHAT)
    done()

    (warning,) = logged()
    assert "cannot be written to, nothing is uploaded: " in warning
    assert "it is a symbolic link, which is not followed" in warning
    assert [] == [*(tmp_path / "elsewhere").iterdir()]
    assert [] == [name for name in telemetry.span.attributes if name.endswith("_ref")]

    done = instrument(completion_hook="upload", upload_base_path=str(tmp_path / "link" / "below"))
    openai_client().chat.completions.create(**CHAT)
    done()

    assert 2 == len([*(tmp_path / "elsewhere" / "below").iterdir()])


def remove_uploaded(folder: Path) -> None:
    """Removes a folder with what the one call before has uploaded, as soon as that is there."""
    until = time.monotonic() + 10
    while not [*folder.glob("*_outputs.json")]:
        assert time.monotonic() < until
        time.sleep(0.01)
    shutil.rmtree(folder)


@posix
def test_a_folder_that_becomes_a_symbolic_link(server, openai_client, instrument, *, tmp_path, logged):
    """Is not followed either; what is lost is counted as ever."""
    folder, elsewhere = tmp_path / "folder", tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = instrument(completion_hook="upload", upload_base_path=str(folder))
    server.reply_always(Json(completion()))
    client = openai_client()
    client.chat.completions.create(**CHAT)
    remove_uploaded(folder)
    folder.symlink_to("elsewhere")

    client.chat.completions.create(**CHAT)
    done()

    assert [] == [*elsewhere.iterdir()]
    (warning,) = logged()
    assert warning.endswith("such completions are lost, the calls are not affected.")


@posix
def test_links_that_have_the_names_of_files(server, telemetry, openai_client, instrument, *, tmp_path):
    """Are replaced: what they lead to is neither written nor taken for what is uploaded already."""
    server.reply_always(Json(completion()))
    folder, bystander = tmp_path / "folder", tmp_path / "bystander"
    bystander.write_text("mine")
    folder.mkdir()
    (folder / ".one_off_test_to_see_if_upload_works.json").symlink_to(bystander)
    done = instrument(completion_hook="upload", upload_base_path=str(folder))
    openai_client().chat.completions.create(**CHAT, tools=[TOOL])
    done()
    (tools,) = folder.glob("*_tool.definitions.json")
    tools.unlink()
    tools.symlink_to(bystander)

    done = instrument(completion_hook="upload", upload_base_path=str(folder))
    openai_client().chat.completions.create(**CHAT, tools=[TOOL])
    done()

    assert "mine" == bystander.read_text()
    assert not tools.is_symlink()
    assert "find" == uploaded(telemetry.spans[-1].attributes)["gen_ai.tool.definitions"][0]["name"]


def test_a_local_file_is_whole_or_not_there(server, openai_client, instrument, *, tmp_path, monkeypatch):
    """Of one that fails in the middle nothing is left, and while it is written it has another name."""
    seen: list[list[str]] = []

    def fail(value: Any, file: Any) -> None:
        file.write("[")
        file.flush()
        seen.append([path.name for path in tmp_path.iterdir()])
        raise OSError("no space left")

    monkeypatch.setattr(theirs, "gen_ai_json_dump", fail)
    done = instrument(completion_hook="upload", upload_base_path=str(tmp_path))
    server.reply(Json(completion()))

    openai_client().chat.completions.create(**CHAT)
    done()

    names = [name for names in seen for name in names]
    assert names
    assert {True} == {name.startswith(".") and name.endswith(".partial") for name in names}
    assert [] == [*tmp_path.iterdir()]


CREDENTIALS = [
    "abfs://c@account.dfs.core.windows.net/p?sv=2024-11-04&sig=abc",
    "memory://x?sas_token=abc",
    "memory://x?a=b&secret=plum",
    "memory://x?a=b;client_secret=plum",
    "memory://x#access_token=plum",
    "memory://x?X-Amz-Credential=plum&X-Amz-Signature=kiwi",
    "memory://x?api_key=plum",
    "memory://x?KEY=plum",
    "memory://x?%73ig=plum",
    "memory://x?password=plum",
    "simplecache::memory://x?token=plum",
    "/a/folder?sig=plum",
]


@pytest.mark.parametrize("place", CREDENTIALS)
def test_a_credential_in_the_query_of_the_place(server, telemetry, openai_client, instrument, *, logged, place):
    """Is refused like a password, whatever its value looks like: the place stands in references."""
    done = instrument(completion_hook="upload", upload_base_path=place)
    server.reply(Json(completion()))

    openai_client().chat.completions.create(**CHAT)
    done()

    refused, missing = logged()
    assert refused.startswith("upload_base_path is not accepted as it is. ")
    assert missing.endswith("nothing is uploaded.")
    for word in ("plum", "kiwi", "abc"):
        assert word not in refused + missing + str(dict(telemetry.span.attributes))


@pytest.mark.parametrize("query", ["?versionId=3", "?region=eu&format=json", "/sig=1/key=2", "?sig="])
def test_other_queries_of_the_place(server, telemetry, openai_client, instrument, *, logged, query):
    """Are no credentials, and neither are names of folders, as partitions have them."""
    done = instrument(completion_hook="upload", upload_base_path=f"memory://x{query}")
    server.reply(Json(completion()))

    openai_client().chat.completions.create(**CHAT)
    done()

    assert [] == logged()
    assert "gen_ai.input.messages_ref" in telemetry.span.attributes


def test_a_password_of_the_place(server, telemetry, openai_client, instrument, *, logged):
    """Comes into no reference and no warning: nothing is uploaded there."""
    done = instrument(completion_hook="upload", upload_base_path="memory://user:hunter2hunter2@host/x")
    server.reply(Json(completion()))

    openai_client().chat.completions.create(**CHAT)
    done()

    refused, missing = logged()
    assert refused.startswith("upload_base_path is not accepted as it is. ")
    assert missing.endswith("nothing is uploaded.")
    assert "hunter2" not in refused + missing + str(dict(telemetry.span.attributes))


def test_a_place_that_quotes_a_key(server, openai_client, instrument, *, tmp_path, logged, monkeypatch):
    """A storage's message of why it cannot be written to is logged without keys."""
    key = "sk-proj-" + "a1B2" * 10

    def refuse(*_args: Any, **_kwargs: Any) -> None:
        raise PermissionError(f"no access for {key}")

    monkeypatch.setattr(f"{OURS}._content.completion_hook.local_files.make_folder", refuse)
    done = instrument(completion_hook="upload", upload_base_path=str(tmp_path))
    server.reply(Json(completion()))
    openai_client().chat.completions.create(**CHAT)
    done()

    (warning,) = logged()
    assert warning.endswith("cannot be written to, nothing is uploaded: no access for [secrets]")


def test_a_place_that_stops_taking_files(server, telemetry, openai_client, instrument, *, tmp_path, logged):
    """What could not be written is counted, and logged once."""
    folder = tmp_path / "folder"
    folder.mkdir()
    done = instrument(completion_hook="upload", upload_base_path=str(folder))
    server.reply_always(Json(completion()))
    openai_client().chat.completions.create(**CHAT)
    remove_uploaded(folder)
    folder.write_text("in the way")

    for _ in range(2):
        openai_client().chat.completions.create(**CHAT)
    done()

    (warning,) = logged()
    assert warning.endswith("such completions are lost, the calls are not affected.")
    assert [2] == [point.value for point in telemetry.metrics["gen_ai.client.completion_hook.dropped"]]


def test_no_place(server, telemetry, openai_client, instrument, *, logged):
    """Without a place there is no hook, and a warning says what is missing."""
    done = instrument(completion_hook="upload")
    server.reply(Json(completion()))

    openai_client().chat.completions.create(**CHAT)
    done()

    assert [
        "The completion hook upload needs OTEL_INSTRUMENTATION_GENAI_UPLOAD_BASE_PATH: nothing is uploaded."
    ] == logged()
    assert [] == [name for name in telemetry.span.attributes if name.endswith("_ref")]


def test_a_release_that_is_not_known(server, telemetry, openai_client, instrument, *, tmp_path, monkeypatch, logged):
    """What a later release has changed is uploaded its own way, without references."""
    monkeypatch.setenv(PREFIX + "UPLOAD_BASE_PATH", str(tmp_path))
    # As if it were called otherwise.
    monkeypatch.setattr(f"{OURS}._content.completion_hook.upload._USED", ("_absent",))
    done = instrument(completion_hook="upload")
    made = []
    original = theirs.UploadCompletionHook.on_completion
    monkeypatch.setattr(
        theirs.UploadCompletionHook, "on_completion", lambda self, **given: (made.append(self), original(self, **given))
    )
    server.reply(Json(completion()))

    openai_client().chat.completions.create(**CHAT)
    done()

    made[0].shutdown()
    (file,) = tmp_path.glob("*_outputs.json")
    assert "Hello" == json.loads(file.read_text())[0]["parts"][0]["content"]
    assert ["opentelemetry-util-genai has an unknown version: spans do not refer to uploads."] == logged()
    assert [] == [name for name in telemetry.span.attributes if name.endswith("_ref")]


def test_the_ecosystem_names_files_the_same(server, telemetry, openai_client, instrument, tmp_path):
    """Instructions have the file that their own hook would give them."""
    if not hasattr(openai_client(), "responses"):
        pytest.skip("this version of the SDK has no Responses API")
    from opentelemetry.util.genai import types

    from loopback.openai_bodies import response

    done = instrument(completion_hook="upload", upload_base_path=str(tmp_path))
    server.reply(Json(response()))
    openai_client().responses.create(**RESPONSE)
    done()

    text = getattr(types, "TextPart", None) or types.Text
    hook = theirs.UploadCompletionHook(base_path=str(tmp_path))
    expected = hook._calculate_ref_path([text(content="Be brief")], None).system_instruction_ref
    assert expected == telemetry.span.attributes["gen_ai.system_instructions_ref"]
    assert Path(expected.removeprefix("file://")).exists()


@pytest.mark.parametrize("kind", ["text", "reasoning", "tool_call", "tool_call_response", "uri", "file", "blob", "cut"])
def test_parts_as_their_types(kind):
    """Every part is one of their types with all its members, those that they do not know included."""
    from opentelemetry.util.genai import types

    from opentelemetry_instrumentation_genai._content.completion_hook.ecosystem import parts_of

    part: dict[str, Any] = {
        "text": {"type": "text", "content": "Hi", "original_bytes": 9},
        "reasoning": {"type": "reasoning", "content": "Hm"},
        "tool_call": {"type": "tool_call", "id": None, "name": "find", "arguments": {"a": 1}},
        "tool_call_response": {"type": "tool_call_response", "id": "1", "response": ["found"]},
        "uri": {"type": "uri", "modality": "image", "mime_type": None, "uri": "https://example.com"},
        "file": {"type": "file", "modality": "image", "mime_type": None, "file_id": "f"},
        "blob": {"type": "blob", "modality": "image", "mime_type": "image/png", "byte_size": 3, "sha256": "0" * 64},
        "cut": {"type": "cut", "parts": 2, "original_bytes": 100, "not-a-name": 1},
    }[kind]
    names = {
        "text": ("TextPart", "Text"),
        "reasoning": ("ReasoningPart", "Reasoning"),
        "tool_call": ("ToolCallRequestPart", "ToolCallRequest", "ToolCall"),
        "tool_call_response": ("ToolCallResponsePart", "ToolCallResponse"),
        "uri": ("UriPart", "Uri"),
        "file": ("FilePart", "File"),
    }.get(kind, ("GenericPart",))
    known = next((getattr(types, name) for name in names if hasattr(types, name)), object)

    (made,) = parts_of([part])

    assert isinstance(made, known)
    assert {name: value for name, value in part.items() if name != "not-a-name"} == {
        name: value for name, value in vars(made).items() if name != "value"
    }
