"""Credentials that a server echoes: what the request really carried is in no signal, whatever carried it and however it is spelled.

None of them has a form by which a rule would know it.
"""

from __future__ import annotations

import asyncio
import base64
import html
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus

import anthropic
import ollama
import openai
import pytest

import opentelemetry_instrumentation_genai as genai
from contract.drive import listed, settled
from loopback import Json, ModelServer, Reply, Sse, Telemetry, anthropic_bodies, openai_bodies
from ollama_endings import line, stream

OPAQUE = "plum/Kiwi+pear&fig=mango~lime"  # that URLs, pages and JSON each spell in another way
LETTERS = "watermelonharvest"
HI = {"model": "llama3.2", "messages": [{"role": "user", "content": "Hi"}]}
FAILED = (openai.APIError, anthropic.APIError, ollama.ResponseError)


@dataclass(frozen=True)
class Carried:
    """A way in which an application gives a credential.

    Attributes:
        sdk: the SDK that is called.
        client: server's URL and credential -> the client, sync or async.
        more: credential -> what the call is given besides.
    """

    sdk: str
    client: Callable[..., Any]
    more: Callable[[str], dict[str, Any]] = lambda _secret: {}


def openai_client(url: str, *, asynchronous: bool, **settings: Any) -> Any:
    """OpenAI's."""
    kind: Any = openai.AsyncOpenAI if asynchronous else openai.OpenAI
    return kind(**{"base_url": f"{url}/v1", "api_key": "none", "max_retries": 0, **settings})


def azure_client(url: str, *, asynchronous: bool, **settings: Any) -> Any:
    """Azure's."""
    kind: Any = openai.AsyncAzureOpenAI if asynchronous else openai.AzureOpenAI
    return kind(base_url=f"{url}/v1", api_version="2024-10-21", max_retries=0, **settings)


def anthropic_client(url: str, *, asynchronous: bool, **settings: Any) -> Any:
    """Anthropic's."""
    kind: Any = anthropic.AsyncAnthropic if asynchronous else anthropic.Anthropic
    return kind(**{"base_url": url, "api_key": "none", "max_retries": 0, **settings})


def ollama_client(url: str, *, asynchronous: bool, **settings: Any) -> Any:
    """Ollama's."""
    kind: Any = ollama.AsyncClient if asynchronous else ollama.Client
    return kind(**{"host": url, **settings})


def with_user(url: str, secret: str) -> str:
    """A URL with a user and a password, which an HTTP client sends as `Basic`."""
    return url.replace("://", f"://someone:{quote(secret, safe='')}@")


CARRIED = {
    "openai api_key": Carried("openai", lambda url, secret, **way: openai_client(url, api_key=secret, **way)),
    "openai default Authorization": Carried(
        "openai",
        lambda url, secret, **way: openai_client(url, default_headers={"Authorization": f"Bearer {secret}"}, **way),
    ),
    "openai default scheme of its own": Carried(
        "openai",
        lambda url, secret, **way: openai_client(url, default_headers={"authorization": f"Fruit {secret}"}, **way),
    ),
    "openai X-Api-Key": Carried(
        "openai", lambda url, secret, **way: openai_client(url, default_headers={"X-Api-Key": secret}, **way)
    ),
    "openai extra Authorization": Carried(
        "openai",
        lambda url, _secret, **way: openai_client(url, **way),
        lambda secret: {"extra_headers": {"Authorization": secret}},
    ),
    "openai extra gateway token": Carried(
        "openai",
        lambda url, _secret, **way: openai_client(url, **way),
        lambda secret: {"extra_headers": {"cf-aig-Token": secret}},
    ),
    "openai cookie": Carried(
        "openai",
        lambda url, _secret, **way: openai_client(url, **way),
        lambda secret: {"extra_headers": {"Cookie": f"theme=dark; sid={secret}; a=b"}},
    ),
    "openai Proxy-Authorization": Carried(
        "openai",
        lambda url, secret, **way: openai_client(
            url, default_headers={"Proxy-Authorization": f"Bearer {secret}"}, **way
        ),
    ),
    "openai query": Carried(
        "openai",
        lambda url, _secret, **way: openai_client(url, **way),
        lambda secret: {"extra_query": {"subscription-key": secret}},
    ),
    "openai default query": Carried(
        "openai", lambda url, secret, **way: openai_client(url, default_query={"sig": secret}, **way)
    ),
    "openai URL": Carried("openai", lambda url, secret, **way: openai_client(with_user(url, secret), **way)),
    "azure api_key": Carried("azure", lambda url, secret, **way: azure_client(url, api_key=secret, **way)),
    "azure_ad_token": Carried("azure", lambda url, secret, **way: azure_client(url, azure_ad_token=secret, **way)),
    "azure_ad_token_provider": Carried(
        "azure", lambda url, secret, **way: azure_client(url, azure_ad_token_provider=lambda: secret, **way)
    ),
    "anthropic api_key": Carried("anthropic", lambda url, secret, **way: anthropic_client(url, api_key=secret, **way)),
    "anthropic auth_token": Carried(
        "anthropic", lambda url, secret, **way: anthropic_client(url, api_key=None, auth_token=secret, **way)
    ),
    "anthropic extra x-api-key": Carried(
        "anthropic",
        lambda url, _secret, **way: anthropic_client(url, **way),
        lambda secret: {"extra_headers": {"x-api-key": secret}},
    ),
    "anthropic default Authorization": Carried(
        "anthropic",
        lambda url, secret, **way: anthropic_client(url, default_headers={"Authorization": f"Bearer {secret}"}, **way),
    ),
    "ollama Authorization": Carried(
        "ollama", lambda url, secret, **way: ollama_client(url, headers={"Authorization": f"Bearer {secret}"}, **way)
    ),
    "ollama x-api-key": Carried(
        "ollama", lambda url, secret, **way: ollama_client(url, headers={"x-api-key": secret}, **way)
    ),
    "ollama auth": Carried("ollama", lambda url, secret, **way: ollama_client(url, auth=("someone", secret), **way)),
}


def instrument(telemetry: Telemetry, **settings: Any) -> None:
    """All three, with content on spans and events unless set otherwise."""
    for kind in (genai.OpenAIInstrumentor, genai.AnthropicInstrumentor, genai.OllamaInstrumentor):
        kind().instrument(**telemetry.providers, **{"capture_message_content": True, **settings})


async def asked(carried: Carried, client: Any, secret: str, *, stream: bool = False) -> Any:
    """One call."""
    more = carried.more(secret)
    if carried.sdk == "ollama":
        return await settled(client.chat(**HI, stream=stream))
    if carried.sdk == "anthropic":
        return await settled(client.messages.create(**anthropic_bodies.MESSAGES, stream=stream, **more))
    return await settled(client.chat.completions.create(**{**openai_bodies.CHAT, "stream": stream, **more}))


async def refused(carried: Carried, server: ModelServer, secret: str, *, asynchronous: bool) -> None:
    """A call that fails."""
    client = carried.client(server.url, secret, asynchronous=asynchronous)
    try:
        with pytest.raises(FAILED):
            await asked(carried, client, secret)
    finally:
        await settled(client._client.aclose() if asynchronous else client._client.close())


def run(coroutine: Any, *, asynchronous: bool) -> None:
    """In an event loop, or without."""
    if asynchronous:
        asyncio.run(coroutine)
        return
    with pytest.raises(StopIteration):
        coroutine.send(None)


def recorded(telemetry: Telemetry) -> str:
    """All signals, as text."""
    spans = [(span.name, span.status.description, dict(span.attributes)) for span in telemetry.spans]
    events = [(event.event_name, event.body, dict(event.attributes)) for event in telemetry.events]
    points = [(name, [dict(point.attributes) for point in made]) for name, made in telemetry.metrics.items()]
    return f"{spans}{events}{points}"


def refusal(message: str, code: Any = None, status: int = 401) -> Json:
    """What a server says that quotes; Ollama's SDK takes the text of what is no JSON of its own."""
    return Json({"error": {"message": message, "code": code, "type": None}}, status=status)


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("way", CARRIED)
def test_what_the_request_carried_is_masked(server, telemetry, way, asynchronous):
    """In the status of the span, in message and stack trace of the event; the words around it stay."""
    instrument(telemetry)
    server.reply(refusal(f"'{OPAQUE}' is not known here, <{OPAQUE}>"))

    run(refused(CARRIED[way], server, OPAQUE, asynchronous=asynchronous), asynchronous=asynchronous)

    (request,) = server.requests
    carried = repr((request.lines, request.path))
    basic = base64.b64encode(f"someone:{OPAQUE}".encode()).decode()
    assert OPAQUE in carried or quote(OPAQUE, safe="~") in carried or basic in carried
    assert "'[secrets]' is not known here, <[secrets]>" in telemetry.span.status.description.replace("\\u003c", "<")
    assert OPAQUE not in recorded(telemetry)
    assert basic not in recorded(telemetry)


SPELLED: dict[str, Callable[[str], str]] = {
    "JSON": lambda secret: json.dumps(secret)[1:-1].replace("/", r"\/").replace("&", r"\u0026").replace("+", r"\u002b"),
    "JSON in JSON": lambda secret: json.dumps(json.dumps(secret.replace("&", "\u2028"))).replace("\\u2028", "\\u0026"),
    "URL": lambda secret: quote(secret, safe=""),
    "path": quote,
    "form": quote_plus,
    "small hexadecimals": lambda secret: quote(secret, safe="").replace("%2F", "%2f").replace("%2B", "%2b"),
    "page": html.escape,
    "middle hidden": lambda secret: f"{secret[:6]}*****{secret[-5:]}",
    "scheme": lambda secret: f"Bearer {secret}",
    "basic": lambda secret: base64.b64encode(f"someone:{secret}".encode()).decode(),
}


@pytest.mark.parametrize("spelled", SPELLED)
@pytest.mark.parametrize("way", ["openai default Authorization", "anthropic extra x-api-key", "ollama auth"])
def test_however_it_is_spelled(server, telemetry, way, spelled):
    """In JSON, in JSON within JSON, in URLs, forms and pages; whole, and with its middle hidden."""
    if spelled == "basic" and way != "ollama auth":
        pytest.skip("only one of them is sent so")
    instrument(telemetry)
    echo = SPELLED[spelled](OPAQUE)
    server.reply(refusal(f"before {echo} after"))

    run(refused(CARRIED[way], server, OPAQUE, asynchronous=False), asynchronous=False)

    description = telemetry.span.status.description
    assert "before " in description
    assert " after" in description
    for piece in (echo, "Kiwi", "plum", "mango"):
        assert piece not in recorded(telemetry)


@pytest.mark.parametrize(
    "key", [f"{LETTERS}\n", f"{LETTERS}\r\n", f"\t{LETTERS}", f"{LETTERS}\nfruits-of-mine"], ids=ascii
)
@pytest.mark.parametrize("way", ["openai api_key", "anthropic api_key", "anthropic auth_token", "ollama x-api-key"])
def test_a_key_with_a_newline(server, telemetry, way, key):
    """As it is read from a file. The HTTP client refuses it with a message that quotes it, and so does a stack trace."""
    instrument(telemetry)
    server.reply(refusal(f"refused: {key.strip()}"))
    carried = CARRIED[way]
    client = carried.client(server.url, key, asynchronous=False)

    with pytest.raises(Exception) as caught:
        run(asked(carried, client, key), asynchronous=False)
    client._client.close()

    assert caught.value is not None
    assert 1 == len(telemetry.spans)
    assert LETTERS not in recorded(telemetry)
    assert "fruits-of-mine" not in recorded(telemetry)


@pytest.mark.parametrize("settings", [{}, {"capture_message_content": False}], ids=["content", "no content"])
@pytest.mark.parametrize("code", [LETTERS, f"bad_key_{LETTERS}", f"x.{LETTERS}:1"])
@pytest.mark.parametrize(
    "way", ["openai default Authorization", "openai extra gateway token", "azure_ad_token", "openai api_key"]
)
def test_it_is_no_error_type(server, telemetry, way, code, settings):
    """A server may echo it as its code: span, event and metric have the exception's name then."""
    instrument(telemetry, **settings)
    server.reply(refusal("no", code))

    run(refused(CARRIED[way], server, LETTERS, asynchronous=False), asynchronous=False)

    assert "openai.AuthenticationError" == telemetry.span.attributes["error.type"]
    assert LETTERS not in recorded(telemetry)


@pytest.fixture
def responses(server) -> Iterator[Callable[..., Any]]:
    """Makes a call of the Responses API, plain or streamed, with a failed response."""
    client = openai_client(server.url, asynchronous=False, default_headers={"Authorization": f"Bearer {LETTERS}"})
    if not hasattr(client, "responses"):
        pytest.skip("this SDK has no Responses API")

    def call(error: Any, *, stream: bool, end: Any = "complete") -> None:
        failed = openai_bodies.response("", status="failed", error=error)
        events = [{"type": "response.failed", "response": failed}]
        if end == "cut":
            events *= 2  # the last one does not arrive
        server.reply(Sse(events, event_names=True, end=end) if stream else Json(failed))
        made = client.responses.create(model=openai_bodies.MODEL, input="Hi", stream=stream)
        if stream:
            list(made)

    yield call
    client.close()


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("code", [LETTERS, f"bad_key_{LETTERS}", "server_error"])
def test_a_failed_response(telemetry, responses, code, stream):
    """A failure that the SDK does not raise: neither its code nor its message has what the request carried."""
    instrument(telemetry)

    responses({"code": code, "message": f"not {LETTERS}, please"}, stream=stream)

    assert ("error" if LETTERS in code else code) == telemetry.span.attributes["error.type"]
    assert "not [secrets], please" == telemetry.span.status.description
    assert LETTERS not in recorded(telemetry)


@pytest.mark.parametrize("code", [LETTERS, f"bad_key_{LETTERS}"])
def test_a_failed_response_with_a_connection_that_breaks(telemetry, responses, code):
    """The SDK raises, and the code of the response stands in for the one that the exception lacks: not this one."""
    instrument(telemetry)

    with pytest.raises(Exception) as caught:
        responses({"code": code, "message": f"not {LETTERS}"}, stream=True, end="cut")

    assert caught.value is not None
    assert "ERROR" == telemetry.span.status.status_code.name
    assert LETTERS not in recorded(telemetry)


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize(
    "way", ["openai default Authorization", "azure_ad_token_provider", "anthropic extra x-api-key", "ollama x-api-key"]
)
def test_an_error_within_a_stream(server, telemetry, way, asynchronous):
    """The response had been accepted when the server quotes it."""
    text = f"before {OPAQUE} after"
    carried = CARRIED[way]
    replies: dict[str, Reply] = {
        "openai": Sse(
            [openai_bodies.chunk({"content": "Hel"}), {"error": {"message": text, "code": None, "type": None}}]
        ),
        "anthropic": Sse([*anthropic_bodies.text_events("Hel")[:2], anthropic_bodies.error(text)], event_names=True),
        "ollama": stream(line("Hel"), {"error": text}),
    }
    instrument(telemetry)
    server.reply(replies["openai" if carried.sdk == "azure" else carried.sdk])

    async def read() -> None:
        client = carried.client(server.url, OPAQUE, asynchronous=asynchronous)
        try:
            with pytest.raises(FAILED):
                await listed(await asked(carried, client, OPAQUE, stream=True))
        finally:
            await settled(client._client.aclose() if asynchronous else client._client.close())

    run(read(), asynchronous=asynchronous)

    assert "before [secrets] after" in telemetry.span.status.description
    assert OPAQUE not in recorded(telemetry)


HARMLESS = (
    "The model m (auto) of Idempotency-Key a-b_c-1234 is not in region eu-central-1, en-US; retry with keep-alive"
)


def test_other_headers_are_no_credentials(server, telemetry):
    """What they hold may be recorded: names of models, regions and languages are in many messages."""
    instrument(telemetry)
    client = openai_client(
        server.url,
        asynchronous=False,
        default_headers={"x-region": "eu-central-1", "idempotency-key": "a-b_c-1234", "accept-language": "en-US"},
        default_query={"api-version": "(auto) of"},
    )
    server.reply(refusal(HARMLESS))

    with client, pytest.raises(openai.AuthenticationError):
        client.chat.completions.create(**openai_bodies.CHAT)

    assert HARMLESS in telemetry.span.status.description
