# Where the telemetry goes, and how.
export OTEL_EXPORTER_OTLP_ENDPOINT="${OTEL_EXPORTER_OTLP_ENDPOINT:-http://127.0.0.1:4318}"
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
# `gateway.py` does this itself, with settings that have no variable.
export OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=fastapi
# What calls cost, and by whom: the tag `tenant` is on metrics as well.
export OTEL_INSTRUMENTATION_GENAI_PRICES="${OTEL_INSTRUMENTATION_GENAI_PRICES:-file:prices.json}"
export OTEL_INSTRUMENTATION_GENAI_METRIC_ATTRIBUTES=tenant
# Where the models are: the embedded server, unless your shell says otherwise.
export OPENAI_BASE_URL="${OPENAI_BASE_URL:-http://127.0.0.1:8085/v1}"
export OPENAI_API_KEY="${OPENAI_API_KEY:-demo}"
export ANTHROPIC_BASE_URL="${ANTHROPIC_BASE_URL:-http://127.0.0.1:8085}"
export ANTHROPIC_API_KEY="${ANTHROPIC_API_KEY:-demo}"
export OLLAMA_HOST="${OLLAMA_HOST:-http://127.0.0.1:8085}"
# Where the gateway is.
export GATEWAY_PORT="${GATEWAY_PORT:-8086}"

OTEL_SERVICE_NAME=gateway opentelemetry-instrument python gateway.py &
gateway=$!
OTEL_SERVICE_NAME=gateway-client opentelemetry-instrument python client.py
status=$?
# As Ctrl-C: uvicorn ends itself by SIGTERM with nothing that runs at exit, the last export among it. A gateway that does not
# listen yet ignores Ctrl-C, since it runs in the background.
if [ "$status" = 0 ]; then kill -INT "$gateway"; else kill -TERM "$gateway"; fi
wait "$gateway"
exit "$status"
