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
        base, resource = import_module(f"{self.package}._base_client"), import_module(f"{self.package}._resource")
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
)
INSTALLED = [sdk.contract() for sdk in SDKS if sdk.installed]
