"""Further SDKs whose API is that of OpenAI or Anthropic: the rows of these, called by their clients. Those that are installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import opentelemetry_instrumentation_genai
from contract.anthropic import ANTHROPIC
from contract.client import Client
from contract.dialects import LETTA, LLAMA_API, WRITER
from contract.drive import SYNC, Way
from contract.expected import INPUT
from contract.openai import OPENAI
from contract.provider import Provider
from contract.row import Row, given

KEY = "sk-test-not-a-key"
_OPENAI, _ANTHROPIC = ({row.id: row for row in provider.rows} for provider in (OPENAI, ANTHROPIC))
_EMBEDDINGS = replace(
    _OPENAI["embeddings"],
    arguments=given(model="text-embedding-3-small", input=["one", "two"]),
    request={"gen_ai.operation.name": "embeddings", "gen_ai.request.model": "text-embedding-3-small"},
)
_COMPLETIONS = replace(
    _OPENAI["completions"],
    arguments=given(model="davinci-002", prompt="Once", max_tokens=5),
    span="text_completion davinci-002",
    request={
        "gen_ai.operation.name": "text_completion",
        "gen_ai.request.model": "davinci-002",
        "gen_ai.request.max_tokens": 5,
    },
    stream_arguments={"stream": True},
    content={INPUT: [{"role": "user", "parts": [{"type": "text", "content": "Once"}]}]},
)
_MESSAGES = _ANTHROPIC["messages"]
# Its SDK takes the events of a stream for one text.
_PLAIN_MESSAGES = replace(_MESSAGES, streamed=None)


def _named(*names: str) -> tuple[Row, ...]:
    """Return rows of OpenAI's API by their names; every SDK has chats."""
    return tuple(_OPENAI[name] for name in ("chat", *names))


@dataclass(frozen=True)
class Sdk:
    """One SDK.

    Attributes:
        name: of its instrumentor.
        package: which the application imports.
        client: its class; the asynchronous one has `Async` before it.
        provider: `gen_ai.provider.name`.
        rows: those that it has.
        not_followed: method, or resource with all of its methods -> why it makes no span.
        settings: keywords of a client besides the server and the key.
        elsewhere: methods that have their tests elsewhere.
    """

    name: str
    package: str
    client: str
    provider: str
    rows: Sequence[Row]
    not_followed: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    elsewhere: Sequence[str] = ()

    @property
    def installed(self) -> bool:
        """Whether it is."""
        return find_spec(self.package.partition(".")[0]) is not None

    def make(self, way: Way, url: str) -> Any:
        """Make a client of a server."""
        kind = getattr(import_module(self.package), self.client if way is SYNC else f"Async{self.client}")
        return kind(base_url=url, api_key=KEY, max_retries=0, **self.settings)

    def contract(self) -> Provider:
        """Return all that the contract has about it."""
        return self._of(self.package)

    def _of(self, sending: str) -> Provider:
        """Return it; a package has the clients that send."""
        base, resource = import_module(f"{sending}._base_client"), import_module(f"{sending}._resource")
        instrumentor: Callable[[], Any] = getattr(opentelemetry_instrumentation_genai, self.name)
        return Provider(
            name=self.package,
            instrumentor=instrumentor,
            constants={"http.response.status_code": 200},
            clients=(Client("client", self.make, self.provider, classes=(self.client, f"Async{self.client}")),),
            rows=self.rows,
            samples=(),
            always=[self.rows[0].method],
            not_followed=dict(self.not_followed) | dict.fromkeys(self.elsewhere, "its tests are elsewhere"),
            not_called=(),
            other_paths=(),
            resources=(resource.SyncAPIResource, resource.AsyncAPIResource),
            funnels=(base.SyncAPIClient, base.AsyncAPIClient),
        )


class _Portkey(Sdk):
    """The SDK of Portkey: its resources call a copy of OpenAI's SDK within, and are none of that."""

    def contract(self) -> Provider:
        """Return all that the contract has about it."""
        apis = import_module(f"{self.package}.api_resources.apis.api_resource")
        return replace(
            self._of("portkey_ai._vendor.openai"),
            name=self.package,
            resources=(apis.APIResource, apis.AsyncAPIResource),
        )

    def make(self, way: Way, url: str) -> Any:
        """Make a client of a server."""
        kind = getattr(import_module(self.package), self.client if way is SYNC else f"Async{self.client}")
        client = kind(base_url=url, api_key=KEY)
        client.close = client.openai_client.close  # which its own leaves open
        return client


class _Within(Sdk):
    """The copy of OpenAI's SDK within it, which is public too."""

    def make(self, way: Way, url: str) -> Any:
        """Make a client of a server."""
        portkey = import_module("portkey_ai")
        kind = portkey.Portkey if way is SYNC else portkey.AsyncPortkey
        return kind(base_url=url, api_key=KEY).openai_client.with_options(max_retries=0)


_STORES = "files, stores and models are no calls of a model"
_JOBS = "training, evaluation and deployments are no calls of a model"
_ACCOUNT = "the account is no model"
_CLIENT = dict.fromkeys(
    (
        *("close", "copy", "is_closed", "platform_headers", "with_options"),
        *("delete", "get", "get_api_list", "patch", "post", "put", "request"),
    ),
    "of the client itself; what it sends by hand is followed by its path",
)


def _reasons(**listed: str) -> dict[str, str]:
    """Return the methods or resources that are not followed, by the reason: names with spaces between."""
    kinds = {"stores": _STORES, "jobs": _JOBS, "account": _ACCOUNT}
    return _CLIENT | {name: kinds[kind] for kind, names in listed.items() for name in names.split()}


# A copy of an earlier release of OpenAI's SDK has them not.
_NOT_WITHIN = ("beta.chat.completions.create", "beta.responses.", "decisions.")
# Portkey's own resources lack the search, and take files that have a path; what else is left out, their oldest release cannot read.
_NOT_BY_PORTKEY = (*_NOT_WITHIN, "vector_stores.", "audio.", "responses.compact", "beta.chat.completions.stream")
_PORTKEY_ROWS = tuple(
    replace(
        row,
        style=row.style if row.style == "helper" else "wrapped",
        streamed=None if row.method == "responses.retrieve" else row.streamed,
    )
    for row in OPENAI.rows
    if row.style != "by hand"
    and not row.method.startswith(_NOT_BY_PORTKEY)
    # They have arguments in an `extra_body`, which it puts into one of its own, or bodies that it does not read.
    and row.id not in ("chat-full", "chat-events-of-any-form", "responses-retrieve-resumed", "responses-helper-resumed")
)
SDKS = (
    Sdk(
        "GroqInstrumentor",
        "groq",
        "Groq",
        "groq",
        (
            *_named("transcriptions-text", "translations", "speech", "batches-create", "batches-retrieve"),
            _EMBEDDINGS,
        ),
        _reasons(stores="files models batches.list batches.cancel"),
    ),
    Sdk(
        "TogetherInstrumentor",
        "together",
        "Together",
        "together_ai",
        (*_named("speech"), _COMPLETIONS, _EMBEDDINGS),
        _reasons(
            stores="files models batches audio.voices",
            jobs="fine_tuning evals endpoints beta code_interpreter videos clusters post_training",
            account="agent_headers whoami organization projects",
        ),
        elsewhere=("rerank", "images", "audio.transcriptions", "audio.translations"),
    ),
    Sdk(
        "FireworksInstrumentor",
        "fireworks",
        "Fireworks",
        "fireworks",
        (*_named(), _COMPLETIONS, _PLAIN_MESSAGES),
        _reasons(
            stores="models datasets lora",
            jobs="batch_inference_jobs deployment_shape_versions deployment_shapes deployments dpo_jobs evaluation_jobs evaluators "
            "reinforcement_fine_tuning_jobs reinforcement_fine_tuning_steps supervised_fine_tuning_jobs",
            account="accounts api_keys secrets users",
        ),
        elsewhere=("chat.completions.acreate", "completions.acreate"),
    ),
    Sdk(
        "CerebrasInstrumentor",
        "cerebras.cloud.sdk",
        "Cerebras",
        "cerebras",
        (*_named(), _COMPLETIONS),
        _reasons(stores="models"),
    ),
    Sdk(
        "SambaNovaInstrumentor",
        "sambanova",
        "SambaNova",
        "sambanova",
        (*_named("responses", "transcriptions-text"), _COMPLETIONS, _EMBEDDINGS, _MESSAGES, _ANTHROPIC["count-tokens"]),
        _reasons(stores="models"),
        elsewhere=("audio.translations",),
    ),
    Sdk("PerplexityInstrumentor", "perplexity", "Perplexity", "perplexity", _named("responses"), _reasons()),
    Sdk(
        "LlamaStackInstrumentor",
        "llama_stack_client",
        "LlamaStackClient",
        "llama_stack",
        (
            *_named("responses", "responses-retrieve-queued", "moderations", "vector-stores-search", "batches-create"),
            _OPENAI["batches-retrieve"],
            _COMPLETIONS,
            _EMBEDDINGS,
        ),
        _reasons(
            stores="files models prompts conversations shields vector_io vector_stores batches.list batches.cancel "
            "chat.completions.list chat.completions.retrieve responses.delete responses.list responses.input_items beta",
            jobs="alpha.admin alpha.benchmarks alpha.eval scoring scoring_functions safety",
            account="inspect providers routes",
        ),
        elsewhere=("alpha.inference",),
    ),
    Sdk(
        "WriterInstrumentor",
        "writerai",
        "Writer",
        "writer",
        WRITER,
        _reasons(
            stores="files models applications.list applications.retrieve applications.graphs applications.jobs "
            "graphs.add_file_to_graph graphs.create graphs.delete graphs.list graphs.remove_file_from_graph graphs.retrieve "
            "graphs.update graphs.upload_and_add_file_to_graph",
        )
        | dict.fromkeys(
            ("applications.generate_content", "graphs.question", "tools", "translation"),
            "an application, a graph or a tool of the server answers",
        ),
    ),
    Sdk(
        "LlamaApiInstrumentor",
        "llama_api_client",
        "LlamaAPIClient",
        "meta",
        LLAMA_API,
        _reasons(stores="models uploads"),
    ),
    Sdk(
        "LettaInstrumentor",
        "letta_client",
        "Letta",
        "letta",
        LETTA,
        _reasons(
            stores="agents.archives agents.blocks agents.files agents.folders agents.identities agents.passages agents.schedule "
            "agents.tools agents.create agents.delete agents.export_file agents.import_file agents.list agents.recompile "
            "agents.retrieve agents.update agents.messages.cancel agents.messages.list agents.messages.reset archives blocks "
            "conversations.cancel conversations.create conversations.delete conversations.fork conversations.list "
            "conversations.messages.list conversations.recompile conversations.retrieve conversations.update folders "
            "mcp_servers messages models passages tags templates tools",
            account="access_tokens environments.list environments.retrieve health",
        )
        | dict.fromkeys(
            ("agents.messages.create_async", "environments.send_message"),
            "it starts a run, and the answer is fetched later",
        )
        | dict.fromkeys(("conversations.messages.stream", "runs", "steps"), "it fetches a run that was started before")
        | dict.fromkeys(("agents.messages.compact", "conversations.messages.compact"), "no message to an agent"),
    ),
    _Portkey(
        "PortkeyInstrumentor",
        "portkey_ai",
        "Portkey",
        "portkey",
        _PORTKEY_ROWS,
        _reasons(
            stores="batches.cancel batches.list batches.output chat.completions.delete chat.completions.list "
            "chat.completions.messages chat.completions.retrieve chat.completions.update collections containers conversations "
            "feedback files models prompts.create prompts.delete prompts.list prompts.partials prompts.publish prompts.render "
            "prompts.retrieve prompts.update prompts.versions responses.delete responses.input_items skills uploads "
            "vector_stores.create vector_stores.delete vector_stores.file_batches vector_stores.files vector_stores.list "
            "vector_stores.retrieve vector_stores.update beta.assistants beta.threads videos",
            jobs="evals fine_tuning",
            account="admin analytics api_keys configs guardrails integrations labels logs mcp_integrations mcp_servers providers "
            "virtual_keys webhooks beta.chatkit",
        )
        | dict.fromkeys(("generations", "prompts.completions"), "another client of the SDK sends them")
        | dict.fromkeys(("realtime", "beta.realtime", "responses.connect"), "connections that stay open"),
        elsewhere=(
            *("audio", "responses.compact", "beta.chat.completions.stream"),
            *("chat.completions.normal_create", "chat.completions.stream_create"),
            *("completions.normal_create", "completions.stream_create"),
        ),
    ),
    _Within(
        "PortkeyInstrumentor",
        "portkey_ai._vendor.openai",
        "OpenAI",
        "portkey",
        [row for row in OPENAI.rows if row.style != "by hand" and not row.method.startswith(_NOT_WITHIN)],
        {**OPENAI.not_followed, **_CLIENT, "beta.chat.completions.create": "the same method as that without `beta`"},
    ),
)
INSTALLED = [sdk.contract() for sdk in SDKS if sdk.installed]
