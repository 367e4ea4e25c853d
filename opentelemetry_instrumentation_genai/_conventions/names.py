"""Names of attributes, metrics and events. `generations` defines which of them a generation of the conventions has.

Source: the OpenTelemetry GenAI semantic conventions, v1.41 and latest, their conventions for MCP, and the general `error`, `exception`, `http`,
`network`, `rpc` and `server` registries. They are spelled here because `opentelemetry.semconv` marks its own `gen_ai` names as moved.
"""

from __future__ import annotations

from typing import Final

OPERATION_NAME: Final = "gen_ai.operation.name"
PROVIDER_NAME: Final = "gen_ai.provider.name"
CONVERSATION_ID: Final = "gen_ai.conversation.id"
CONVERSATION_COMPACTED: Final = "gen_ai.conversation.compacted"
OUTPUT_TYPE: Final = "gen_ai.output.type"
PROMPT_NAME: Final = "gen_ai.prompt.name"
PROMPT_VERSION: Final = "gen_ai.prompt.version"
EMBEDDINGS_DIMENSION_COUNT: Final = "gen_ai.embeddings.dimension.count"
TOKEN_MODALITY: Final = "gen_ai.token.modality"
TOKEN_TYPE: Final = "gen_ai.token.type"

REQUEST_MODEL: Final = "gen_ai.request.model"
REQUEST_CHOICE_COUNT: Final = "gen_ai.request.choice.count"
REQUEST_ENCODING_FORMATS: Final = "gen_ai.request.encoding_formats"
REQUEST_FREQUENCY_PENALTY: Final = "gen_ai.request.frequency_penalty"
REQUEST_MAX_TOKENS: Final = "gen_ai.request.max_tokens"
REQUEST_PRESENCE_PENALTY: Final = "gen_ai.request.presence_penalty"
REQUEST_PREVIOUS_RESPONSE_ID: Final = "gen_ai.request.previous_response.id"
REQUEST_REASONING_LEVEL: Final = "gen_ai.request.reasoning.level"
REQUEST_SEED: Final = "gen_ai.request.seed"
REQUEST_STOP_SEQUENCES: Final = "gen_ai.request.stop_sequences"
REQUEST_STREAM: Final = "gen_ai.request.stream"
REQUEST_STREAM_CURSOR: Final = "gen_ai.request.stream_cursor"
REQUEST_TEMPERATURE: Final = "gen_ai.request.temperature"
REQUEST_TOP_K: Final = "gen_ai.request.top_k"
REQUEST_TOP_P: Final = "gen_ai.request.top_p"

RESPONSE_FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
RESPONSE_ID: Final = "gen_ai.response.id"
RESPONSE_MODEL: Final = "gen_ai.response.model"
RESPONSE_STATUS: Final = "gen_ai.response.status"
RESPONSE_TIME_TO_FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"

USAGE_INPUT_TOKENS: Final = "gen_ai.usage.input_tokens"
USAGE_OUTPUT_TOKENS: Final = "gen_ai.usage.output_tokens"
USAGE_CACHE_READ_INPUT_TOKENS: Final = "gen_ai.usage.cache_read.input_tokens"
USAGE_CACHE_WRITE_INPUT_TOKENS: Final = "gen_ai.usage.cache_write.input_tokens"
USAGE_CACHE_CREATION_INPUT_TOKENS: Final = "gen_ai.usage.cache_creation.input_tokens"  # v1.41's name of cache_write
USAGE_REASONING_OUTPUT_TOKENS: Final = "gen_ai.usage.reasoning.output_tokens"
USAGE_TEXT_INPUT_TOKENS: Final = "gen_ai.usage.text.input_tokens"
USAGE_IMAGE_INPUT_TOKENS: Final = "gen_ai.usage.image.input_tokens"
USAGE_AUDIO_INPUT_TOKENS: Final = "gen_ai.usage.audio.input_tokens"
USAGE_TEXT_CACHE_READ_INPUT_TOKENS: Final = "gen_ai.usage.text.cache_read.input_tokens"
USAGE_IMAGE_CACHE_READ_INPUT_TOKENS: Final = "gen_ai.usage.image.cache_read.input_tokens"
USAGE_AUDIO_CACHE_READ_INPUT_TOKENS: Final = "gen_ai.usage.audio.cache_read.input_tokens"
USAGE_TEXT_OUTPUT_TOKENS: Final = "gen_ai.usage.text.output_tokens"
USAGE_IMAGE_OUTPUT_TOKENS: Final = "gen_ai.usage.image.output_tokens"
USAGE_AUDIO_OUTPUT_TOKENS: Final = "gen_ai.usage.audio.output_tokens"

INPUT_MESSAGES: Final = "gen_ai.input.messages"
OUTPUT_MESSAGES: Final = "gen_ai.output.messages"
SYSTEM_INSTRUCTIONS: Final = "gen_ai.system_instructions"
TOOL_DEFINITIONS: Final = "gen_ai.tool.definitions"

RETRIEVAL_DOCUMENTS: Final = "gen_ai.retrieval.documents"
RETRIEVAL_QUERY_TEXT: Final = "gen_ai.retrieval.query.text"
TOOL_CALL_ARGUMENTS: Final = "gen_ai.tool.call.arguments"
TOOL_CALL_RESULT: Final = "gen_ai.tool.call.result"

AGENT_DESCRIPTION: Final = "gen_ai.agent.description"
AGENT_ID: Final = "gen_ai.agent.id"
AGENT_NAME: Final = "gen_ai.agent.name"
AGENT_VERSION: Final = "gen_ai.agent.version"
DATA_SOURCE_ID: Final = "gen_ai.data_source.id"
RETRIEVAL_TOP_K: Final = "gen_ai.retrieval.top_k"
TOOL_CALL_ID: Final = "gen_ai.tool.call.id"
TOOL_DESCRIPTION: Final = "gen_ai.tool.description"
TOOL_NAME: Final = "gen_ai.tool.name"
TOOL_TYPE: Final = "gen_ai.tool.type"
PROMPT_VARIABLE: Final = "gen_ai.prompt.variable."  # before the name of the variable
STEP_NAME: Final = "gen_ai.step.name"
WORKFLOW_NAME: Final = "gen_ai.workflow.name"

EVALUATION_EXPLANATION: Final = "gen_ai.evaluation.explanation"
EVALUATION_NAME: Final = "gen_ai.evaluation.name"
EVALUATION_SCORE_LABEL: Final = "gen_ai.evaluation.score.label"
EVALUATION_SCORE_VALUE: Final = "gen_ai.evaluation.score.value"

OPENAI_API_TYPE: Final = "openai.api.type"
OPENAI_REQUEST_SERVICE_TIER: Final = "openai.request.service_tier"
OPENAI_RESPONSE_SERVICE_TIER: Final = "openai.response.service_tier"
OPENAI_RESPONSE_SYSTEM_FINGERPRINT: Final = "openai.response.system_fingerprint"

AWS_BEDROCK_GUARDRAIL_ID: Final = "aws.bedrock.guardrail.id"
AWS_REQUEST_ID: Final = "aws.request_id"
ENDUSER_ID: Final = "enduser.id"
ENDUSER_PSEUDO_ID: Final = "enduser.pseudo.id"
ERROR_TYPE: Final = "error.type"
EXCEPTION_MESSAGE: Final = "exception.message"
EXCEPTION_STACKTRACE: Final = "exception.stacktrace"
EXCEPTION_TYPE: Final = "exception.type"
HTTP_REQUEST_RESEND_COUNT: Final = "http.request.resend_count"
HTTP_RESPONSE_STATUS_CODE: Final = "http.response.status_code"
SERVER_ADDRESS: Final = "server.address"
SERVER_PORT: Final = "server.port"

JSONRPC_REQUEST_ID: Final = "jsonrpc.request.id"
MCP_METHOD_NAME: Final = "mcp.method.name"
MCP_PROTOCOL_VERSION: Final = "mcp.protocol.version"
MCP_RESOURCE_URI: Final = "mcp.resource.uri"
MCP_SESSION_ID: Final = "mcp.session.id"
NETWORK_PROTOCOL_NAME: Final = "network.protocol.name"
NETWORK_TRANSPORT: Final = "network.transport"
RPC_RESPONSE_STATUS_CODE: Final = "rpc.response.status_code"

METRIC_DURATION: Final = "gen_ai.client.operation.duration"
METRIC_TOKEN_USAGE: Final = "gen_ai.client.token.usage"
METRIC_TIME_TO_FIRST_CHUNK: Final = "gen_ai.client.operation.time_to_first_chunk"
METRIC_TIME_PER_OUTPUT_CHUNK: Final = "gen_ai.client.operation.time_per_output_chunk"
METRIC_INFERENCE_DURATION: Final = "gen_ai.client.inference.duration"
METRIC_INFERENCE_INPUT_TOKENS: Final = "gen_ai.client.inference.operation.input_tokens"
METRIC_INFERENCE_OUTPUT_TOKENS: Final = "gen_ai.client.inference.operation.output_tokens"
METRIC_INFERENCE_TIME_TO_FIRST_CHUNK: Final = "gen_ai.client.inference.time_to_first_chunk"
METRIC_INFERENCE_TIME_PER_OUTPUT_CHUNK: Final = "gen_ai.client.inference.time_per_output_chunk"
METRIC_USAGE_INPUT_TOKENS: Final = "gen_ai.client.inference.usage.input_tokens"
METRIC_USAGE_OUTPUT_TOKENS: Final = "gen_ai.client.inference.usage.output_tokens"
METRIC_USAGE_CACHE_READ_INPUT_TOKENS: Final = "gen_ai.client.inference.usage.cache_read.input_tokens"
METRIC_USAGE_CACHE_WRITE_INPUT_TOKENS: Final = "gen_ai.client.inference.usage.cache_write.input_tokens"
METRIC_USAGE_REASONING_OUTPUT_TOKENS: Final = "gen_ai.client.inference.usage.reasoning.output_tokens"
METRIC_AGENT_DURATION: Final = "gen_ai.invoke_agent.duration"
METRIC_AGENT_INFERENCE_CALLS: Final = "gen_ai.invoke_agent.inference_calls"
METRIC_AGENT_TOOL_CALLS: Final = "gen_ai.invoke_agent.tool_calls"
METRIC_INVOKE_WORKFLOW_DURATION: Final = "gen_ai.invoke_workflow.duration"
METRIC_TOOL_DURATION: Final = "gen_ai.execute_tool.duration"
METRIC_MCP_OPERATION_DURATION: Final = "mcp.client.operation.duration"
METRIC_MCP_SESSION_DURATION: Final = "mcp.client.session.duration"
METRIC_WORKFLOW_DURATION: Final = "gen_ai.workflow.duration"  # v1.41's name of invoke_workflow.duration
METRIC_COST: Final = "gen_ai.client.operation.cost"
METRIC_EVALUATION_SCORE: Final = "gen_ai.evaluation.score"
METRIC_HOOK_DROPPED: Final = "gen_ai.client.completion_hook.dropped"
METRIC_LIMIT_INPUT_TOKENS: Final = "gen_ai.client.rate_limit.remaining.input_tokens"
METRIC_LIMIT_OUTPUT_TOKENS: Final = "gen_ai.client.rate_limit.remaining.output_tokens"
METRIC_LIMIT_REQUESTS: Final = "gen_ai.client.rate_limit.remaining.requests"
METRIC_LIMIT_TOKENS: Final = "gen_ai.client.rate_limit.remaining.tokens"
METRIC_REQUESTS: Final = "llm.request.count"
METRIC_REQUESTS_ACTIVE: Final = "llm.request.active"
METRIC_REQUEST_ERRORS: Final = "llm.request.errors"
METRIC_REQUEST_MESSAGES: Final = "llm.request.message_count"
METRIC_SERVER_DURATION: Final = "gen_ai.server.request.duration"
METRIC_SERVER_TIME_PER_OUTPUT_TOKEN: Final = "gen_ai.server.time_per_output_token"
METRIC_SERVER_TIME_TO_FIRST_TOKEN: Final = "gen_ai.server.time_to_first_token"
METRIC_STREAM_CHUNKS: Final = "llm.stream.chunks"
METRIC_TOKEN_THROUGHPUT: Final = "llm.token.throughput"

EVENT_DETAILS: Final = "gen_ai.client.inference.operation.details"
EVENT_EVALUATION: Final = "gen_ai.evaluation.result"
EVENT_EXCEPTION: Final = "gen_ai.client.operation.exception"

# Names of our own: attribute -> (type, unit, why the conventions' names do not do). Used nowhere but from this table.
OWN: Final[dict[str, tuple[str, str, str]]] = {
    "anthropic.beta": ("string[]", "", "the beta features that the request names, as the SDK calls them"),
    "anthropic.message.batch.id": ("string", "", "of a batch of requests, as the SDK names it"),
    "anthropic.message.batch.processing_status": (
        "string",
        "",
        "how far the processing of a batch is, in the provider's word",
    ),
    "anthropic.message.batch.request_count": ("int", "{request}", "how many a batch is made of, as the SDK names it"),
    "anthropic.message.batch.request_counts.canceled": (
        "int",
        "{request}",
        "how many of a batch were cancelled before they were processed",
    ),
    "anthropic.message.batch.request_counts.errored": (
        "int",
        "{request}",
        "how many of a batch have an error as their result",
    ),
    "anthropic.message.batch.request_counts.expired": (
        "int",
        "{request}",
        "how many of a batch were not processed in time",
    ),
    "anthropic.message.batch.request_counts.processing": ("int", "{request}", "how many of a batch have no result yet"),
    "anthropic.message.batch.request_counts.succeeded": (
        "int",
        "{request}",
        "how many of a batch have a message as their result",
    ),
    "anthropic.message.count_tokens.input_tokens": (
        "int",
        "{token}",
        "how many tokens a request would have, as the SDK names it: none was used, so it is no usage",
    ),
    "anthropic.message.stop_reason": ("string", "", "the provider's stop reason, which finish_reasons maps"),
    "anthropic.organization.id": ("string", "", "the account that was billed, as the SDK names it"),
    "anthropic.request.id": ("string", "", "the provider's id of the request, which its support needs"),
    "anthropic.request.service_tier": ("string", "", "as `openai.request.service_tier`, for this provider"),
    "anthropic.response.service_tier": ("string", "", "as `openai.response.service_tier`, for this provider"),
    "anthropic.thinking.budget_tokens": (
        "int",
        "{token}",
        "how many tokens of thinking were allowed, as the SDK names it",
    ),
    "anthropic.thinking.type": ("string", "", "whether thinking was requested, as the SDK names it"),
    "anthropic.toolset.name": ("string", "", "the set that a tool belongs to, as the SDK names it"),
    "anthropic.usage.cache_creation.ephemeral_1h_input_tokens": (
        "int",
        "{token}",
        "priced apart from the 5-minute ones",
    ),
    "anthropic.usage.cache_creation.ephemeral_5m_input_tokens": ("int", "{token}", "priced apart from the 1-hour ones"),
    "anthropic.usage.compaction.input_tokens": ("int", "{token}", "billed beside the usage, as the SDK names it"),
    "anthropic.usage.compaction.output_tokens": ("int", "{token}", "billed beside the usage, as the SDK names it"),
    "anthropic.workspace.id": ("string", "", "the workspace with the limits that apply, as the SDK names it"),
    "aws.bedrock.count_tokens.input_tokens": (
        "int",
        "{token}",
        "how many tokens a request would have: none of them is used, so that they are no usage",
    ),
    "aws.bedrock.guardrail.intervened": (
        "boolean",
        "",
        "that a guardrail has replaced content, in the request or in the response",
    ),
    "aws.bedrock.stop_reason": ("string", "", "the provider's stop reason, which finish_reasons maps"),
    "conversation.fingerprint": (
        "string",
        "",
        "which calls begin alike: the turns of one conversation, as in llm-otel-kit",
    ),
    "gen_ai.content.original_bytes": ("int", "By", "how much content there was, where a budget has cut it"),
    "gen_ai.conversation.first": (
        "boolean",
        "",
        "true of the first request of a conversation, for what keeps its trace",
    ),
    "gen_ai.input.messages_ref": ("string", "", "where they were uploaded to, as opentelemetry-util-genai names it"),
    "gen_ai.output.messages_ref": ("string", "", "where they were uploaded to, as opentelemetry-util-genai names it"),
    "gen_ai.system_instructions_ref": (
        "string",
        "",
        "where they were uploaded to, as opentelemetry-util-genai names it",
    ),
    "gen_ai.step.name": ("string", "", "the name of a step of an application, for which the conventions have no word"),
    "gen_ai.tag": (
        "template[any]",
        "",
        "tags that the application gives its calls, each under `gen_ai.tag.NAME`",
    ),
    "gen_ai.tool.definitions_ref": ("string", "", "where they were uploaded to, as opentelemetry-util-genai names it"),
    "gen_ai.usage.cost": ("double", "{USD}", "what the call cost; the conventions count tokens, not money"),
    "google_genai.count_tokens.total_tokens": (
        "int",
        "{token}",
        "how many tokens a request would have, as the SDK names it: none was used, so it is no usage",
    ),
    "google_genai.prompt.block_reason": ("string", "", "why a prompt was blocked, in the provider's word"),
    "google_genai.response.finish_reasons": ("string[]", "", "the provider's words, which finish_reasons maps"),
    "google_genai.thinking.budget_tokens": (
        "int",
        "{token}",
        "how many tokens of thinking were allowed, as the SDK names it",
    ),
    "llm.request.purpose": ("string", "", "what a request is made for, as in llm-otel-kit"),
    "model": ("string", "", "of the `llm.*` metrics, as llm-otel-kit names it: the requested model"),
    "ollama.eval_duration": ("double", "s", "how long the server generated, by its own clock"),
    "ollama.image.height": ("int", "{pixel}", "of the image that was requested"),
    "ollama.image.steps": ("int", "{step}", "in how many steps the image was requested to be generated"),
    "ollama.image.width": ("int", "{pixel}", "of the image that was requested"),
    "ollama.load_duration": ("double", "s", "how long the server loaded the model: a cold start"),
    "ollama.prompt_eval_duration": ("double", "s", "how long the server read the prompt, by its own clock"),
    "ollama.total_duration": ("double", "s", "how long the server worked on the request, by its own clock"),
    "ollama.web_search.max_results": ("int", "{result}", "how many results of a search were requested at most"),
    "ollama.web_search.result_count": ("int", "{result}", "how many results a search has"),
    "openai.batch.id": ("string", "", "of a batch of requests; the conventions have an id of a response only"),
    "openai.batch.request_counts.completed": ("int", "{request}", "how many of a batch have a response"),
    "openai.batch.request_counts.failed": ("int", "{request}", "how many of a batch have an error"),
    "openai.batch.request_counts.total": ("int", "{request}", "how many a batch is made of"),
    "openai.batch.status": ("string", "", "how far the processing of a batch is, in the provider's word"),
    "openai.count_tokens.input_tokens": (
        "int",
        "{token}",
        "how many tokens a request would have: none of them is used, so that they are no usage",
    ),
    "openai.realtime.session.id": ("string", "", "of a session of the Realtime API, which has many responses"),
    "openai.request.id": ("string", "", "the provider's id of the request, which its support needs"),
    "openai.usage.audio_seconds": (
        "double",
        "s",
        "how long the sound was that is billed by its length; the conventions count tokens",
    ),
    "stream": ("string", "", "of `llm.request.count`, as llm-otel-kit spells it: `True` or `False`"),
}
# Metrics of our own: metric -> (instrument, unit, why the conventions' do not do).
OWN_METRICS: Final[dict[str, tuple[str, str, str]]] = {
    METRIC_COST: ("histogram", "{USD}", "what calls cost; the conventions count tokens, not money"),
    METRIC_EVALUATION_SCORE: ("histogram", "1", "the scores of evaluations; the conventions have an event alone"),
    METRIC_HOOK_DROPPED: ("counter", "{completion}", "what a completion hook did not get, or did not take"),
    METRIC_LIMIT_INPUT_TOKENS: ("gauge", "{token}", "how many more tokens of input the provider takes for now"),
    METRIC_LIMIT_OUTPUT_TOKENS: ("gauge", "{token}", "how many more tokens of output it gives for now"),
    METRIC_LIMIT_REQUESTS: ("gauge", "{request}", "how many more requests it takes for now"),
    METRIC_LIMIT_TOKENS: ("gauge", "{token}", "how many more tokens, where input and output count together"),
    METRIC_REQUESTS: ("counter", "1", "llm-otel-kit's, with name and unit, for the dashboards that there are"),
    METRIC_REQUESTS_ACTIVE: ("updowncounter", "1", "as `llm.request.count`"),
    METRIC_REQUEST_ERRORS: ("counter", "1", "as `llm.request.count`"),
    METRIC_REQUEST_MESSAGES: ("histogram", "1", "as `llm.request.count`"),
    METRIC_STREAM_CHUNKS: ("counter", "1", "as `llm.request.count`"),
    METRIC_TOKEN_THROUGHPUT: ("histogram", "{token}/s", "as `llm.request.count`"),
}
# Events of our own: event -> why the conventions' do not do.
OWN_EVENTS: Final[dict[str, str]] = {
    "gen_ai.client.realtime_session.started": "a connection with many responses; the conventions discuss such events",
    "gen_ai.client.realtime_session.ended": "as `gen_ai.client.realtime_session.started`",
    "gen_ai.client.realtime_session.error": "an error that the server reports, and that is of no response",
}
EVENT_SESSION_STARTED: Final = "gen_ai.client.realtime_session.started"
EVENT_SESSION_ENDED: Final = "gen_ai.client.realtime_session.ended"
EVENT_SESSION_ERROR: Final = "gen_ai.client.realtime_session.error"
ANTHROPIC_BATCH_CANCELED: Final = "anthropic.message.batch.request_counts.canceled"
ANTHROPIC_BATCH_ERRORED: Final = "anthropic.message.batch.request_counts.errored"
ANTHROPIC_BATCH_EXPIRED: Final = "anthropic.message.batch.request_counts.expired"
ANTHROPIC_BATCH_ID: Final = "anthropic.message.batch.id"
ANTHROPIC_BATCH_PROCESSING: Final = "anthropic.message.batch.request_counts.processing"
ANTHROPIC_BATCH_REQUEST_COUNT: Final = "anthropic.message.batch.request_count"
ANTHROPIC_BATCH_STATUS: Final = "anthropic.message.batch.processing_status"
ANTHROPIC_BATCH_SUCCEEDED: Final = "anthropic.message.batch.request_counts.succeeded"
ANTHROPIC_BETA: Final = "anthropic.beta"
ANTHROPIC_CACHE_CREATION_1H: Final = "anthropic.usage.cache_creation.ephemeral_1h_input_tokens"
ANTHROPIC_CACHE_CREATION_5M: Final = "anthropic.usage.cache_creation.ephemeral_5m_input_tokens"
ANTHROPIC_COMPACTION_INPUT_TOKENS: Final = "anthropic.usage.compaction.input_tokens"
ANTHROPIC_COMPACTION_OUTPUT_TOKENS: Final = "anthropic.usage.compaction.output_tokens"
ANTHROPIC_COUNTED_INPUT_TOKENS: Final = "anthropic.message.count_tokens.input_tokens"
ANTHROPIC_ORGANIZATION_ID: Final = "anthropic.organization.id"
ANTHROPIC_REQUEST_ID: Final = "anthropic.request.id"
ANTHROPIC_REQUEST_SERVICE_TIER: Final = "anthropic.request.service_tier"
ANTHROPIC_RESPONSE_SERVICE_TIER: Final = "anthropic.response.service_tier"
ANTHROPIC_STOP_REASON: Final = "anthropic.message.stop_reason"
ANTHROPIC_THINKING_BUDGET: Final = "anthropic.thinking.budget_tokens"
ANTHROPIC_THINKING_TYPE: Final = "anthropic.thinking.type"
ANTHROPIC_TOOLSET_NAME: Final = "anthropic.toolset.name"
ANTHROPIC_WORKSPACE_ID: Final = "anthropic.workspace.id"
AWS_BEDROCK_COUNTED_INPUT_TOKENS: Final = "aws.bedrock.count_tokens.input_tokens"
AWS_BEDROCK_GUARDRAIL_INTERVENED: Final = "aws.bedrock.guardrail.intervened"
AWS_BEDROCK_STOP_REASON: Final = "aws.bedrock.stop_reason"
CONTENT_ORIGINAL_BYTES: Final = "gen_ai.content.original_bytes"
CONVERSATION_FINGERPRINT: Final = "conversation.fingerprint"
CONVERSATION_FIRST: Final = "gen_ai.conversation.first"
GOOGLE_GENAI_BLOCK_REASON: Final = "google_genai.prompt.block_reason"
GOOGLE_GENAI_COUNTED_TOKENS: Final = "google_genai.count_tokens.total_tokens"
GOOGLE_GENAI_FINISH_REASONS: Final = "google_genai.response.finish_reasons"
GOOGLE_GENAI_THINKING_BUDGET: Final = "google_genai.thinking.budget_tokens"
INPUT_MESSAGES_REF: Final = "gen_ai.input.messages_ref"
KIT_MODEL: Final = "model"
KIT_STREAM: Final = "stream"
LLM_REQUEST_PURPOSE: Final = "llm.request.purpose"
OLLAMA_EVAL_DURATION: Final = "ollama.eval_duration"
OLLAMA_IMAGE_HEIGHT: Final = "ollama.image.height"
OLLAMA_IMAGE_STEPS: Final = "ollama.image.steps"
OLLAMA_IMAGE_WIDTH: Final = "ollama.image.width"
OLLAMA_LOAD_DURATION: Final = "ollama.load_duration"
OLLAMA_MAX_RESULTS: Final = "ollama.web_search.max_results"
OLLAMA_PROMPT_EVAL_DURATION: Final = "ollama.prompt_eval_duration"
OLLAMA_RESULT_COUNT: Final = "ollama.web_search.result_count"
OLLAMA_TOTAL_DURATION: Final = "ollama.total_duration"
OPENAI_BATCH_COMPLETED: Final = "openai.batch.request_counts.completed"
OPENAI_BATCH_FAILED: Final = "openai.batch.request_counts.failed"
OPENAI_BATCH_ID: Final = "openai.batch.id"
OPENAI_BATCH_STATUS: Final = "openai.batch.status"
OPENAI_BATCH_TOTAL: Final = "openai.batch.request_counts.total"
OPENAI_COUNTED_INPUT_TOKENS: Final = "openai.count_tokens.input_tokens"
OPENAI_REALTIME_SESSION_ID: Final = "openai.realtime.session.id"
OPENAI_REQUEST_ID: Final = "openai.request.id"
OPENAI_USAGE_AUDIO_SECONDS: Final = "openai.usage.audio_seconds"
OUTPUT_MESSAGES_REF: Final = "gen_ai.output.messages_ref"
SYSTEM_INSTRUCTIONS_REF: Final = "gen_ai.system_instructions_ref"
TAG: Final = "gen_ai.tag."  # before the name that the application gives
TOOL_DEFINITIONS_REF: Final = "gen_ai.tool.definitions_ref"
USAGE_COST: Final = "gen_ai.usage.cost"
