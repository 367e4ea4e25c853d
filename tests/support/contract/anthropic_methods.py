"""Why a method of the SDK has no row: resource, with all its methods, or one method -> the reason.

Resources of which some methods are followed are listed method by method, so that a new one is noticed.
"""

from __future__ import annotations

from collections.abc import Mapping

_STORED = "reads or changes what is stored; no model is called"
_ELSEWHERE = "the model runs elsewhere, at another time, and the answer has no usage of a call"
_NO_REQUEST = "makes no request"
_NOT_BY_HAND = "no followed operation has this HTTP method"
_LOOP = "calls the methods that have rows, each call of which is followed"

NOT_FOLLOWED: Mapping[str, str] = {
    "close": _NO_REQUEST,
    "copy": _NO_REQUEST,
    "is_closed": _NO_REQUEST,
    "platform_headers": _NO_REQUEST,
    "with_middleware": _NO_REQUEST,
    "with_options": _NO_REQUEST,
    "request": "what every row goes through",
    "put": _NOT_BY_HAND,
    "patch": _NOT_BY_HAND,
    "delete": _NOT_BY_HAND,
    "get_api_list": "lists, of which none is followed",
    "beta.agents": _STORED,
    "beta.compliance": "reviews of what was stored; no model is called",
    "beta.deployment_runs": _ELSEWHERE,
    "beta.deployments": _ELSEWHERE,
    "beta.dreams": _ELSEWHERE,
    "beta.environments": _ELSEWHERE,
    "beta.files": _STORED,
    "beta.memory_stores": _STORED,
    "beta.messages.batches.cancel": _STORED,
    "beta.messages.batches.delete": _STORED,
    "beta.messages.batches.list": _STORED,
    "beta.messages.batches.results": _LOOP,
    "beta.messages.thread": _LOOP,
    "beta.messages.tool_runner": _LOOP,
    "beta.models": _STORED,
    "beta.organization": "administration of an organization; no model is called",
    "beta.sessions": _ELSEWHERE,
    "beta.skills": _STORED,
    "beta.tunnels": _STORED,
    "beta.user_profiles": _STORED,
    "beta.vaults": _STORED,
    "beta.webhooks": "says what the server has done; no model is called",
    "files": _STORED,
    "messages.batches.cancel": _STORED,
    "messages.batches.delete": _STORED,
    "messages.batches.list": _STORED,
    "messages.batches.results": _LOOP,
    "models": _STORED,
    "organization": "administration of an organization; no model is called",
    "skills": _STORED,
    "user_profiles": _STORED,
}

NOT_CALLED = (
    "close",
    "copy",
    "is_closed",
    "platform_headers",
    "request",
    "with_middleware",
    "with_options",
    "beta.messages.batches.results",
    "beta.messages.thread",
    "beta.messages.tool_runner",
    "messages.batches.results",
    "beta.environments.work.poller",
    "beta.environments.work.worker",
    "beta.sessions.events.tool_runner",
    "beta.webhooks.*",
)
OTHER_PATHS = (
    ("get", "/v1/messages"),
    ("put", "/v1/messages"),
    ("post", "/messages"),
    ("post", "/v1"),
    ("post", "/v1/"),
    ("post", "/v2/messages"),
    ("post", "/v1/Messages"),
    ("post", "/v1/messages/more"),
    ("get", "/v1/messages/count_tokens"),
    ("post", "/v1/count_tokens"),
    ("post", "/v1/messages/count_tokens/1"),
    ("get", "/v1/messages/batches"),
    ("get", "/v1/messages/batches?beta=true"),
    ("get", "/v1/messages/msgbatch_1"),
    ("post", "/v1/messages/batches/msgbatch_1"),
    ("post", "/v1/messages/batches/msgbatch_1/results"),
    ("get", "/v1/messages/batches/msgbatch_1/results/1"),
    ("post", "/v1/messages/batches/msgbatch_1/cancel"),
    ("delete", "/v1/messages/batches/msgbatch_1"),
    ("get", "/v1/complete"),
    ("post", "/v1/complete/1"),
    ("get", "/v1/models"),
    ("get", "/v1/models/messages"),
    ("post", "/v1/sessions/sess_1/events"),
    ("get", "/"),
    ("get", ""),
    ("post", "?path=/v1/messages"),
)
