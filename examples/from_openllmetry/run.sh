# Where the telemetry goes: each has its own variable for it.
export OTEL_EXPORTER_OTLP_ENDPOINT="${OTEL_EXPORTER_OTLP_ENDPOINT:-http://127.0.0.1:4318}"
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
export TRACELOOP_BASE_URL="$OTEL_EXPORTER_OTLP_ENDPOINT"
# OpenLLMetry reports its use to its makers unless it is forbidden.
export TRACELOOP_TELEMETRY=false
# It records messages unless that is forbidden; here they are recorded if you ask for them.
export OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_only
# A user id is recorded as a pseudonym, made with this key.
export OTEL_INSTRUMENTATION_GENAI_USER_ID_KEY="${OTEL_INSTRUMENTATION_GENAI_USER_ID_KEY:-a secret of the service}"
# As long as both are installed, a call is to be recorded by one of them, and what else OpenLLMetry brings is not wanted.
export OTEL_PYTHON_DISABLED_INSTRUMENTATIONS=openai,logging,threading
# Where the model is: the embedded server, unless your shell says otherwise.
export OPENAI_BASE_URL="${OPENAI_BASE_URL:-http://127.0.0.1:8085/v1}"
export OPENAI_API_KEY="${OPENAI_API_KEY:-demo}"

set -e
python before.py
OTEL_SERVICE_NAME=after opentelemetry-instrument python after.py
