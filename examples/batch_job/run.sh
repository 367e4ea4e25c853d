# Where the telemetry goes, and how.
export OTEL_EXPORTER_OTLP_ENDPOINT="${OTEL_EXPORTER_OTLP_ENDPOINT:-http://127.0.0.1:4318}"
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
# Where the model is: the embedded server, unless your shell says otherwise.
export ANTHROPIC_BASE_URL="${ANTHROPIC_BASE_URL:-http://127.0.0.1:8085}"
export ANTHROPIC_API_KEY="${ANTHROPIC_API_KEY:-demo}"

job=$(mktemp)
trap 'rm -f "$job"' EXIT
set -e
OTEL_SERVICE_NAME=batch-create opentelemetry-instrument python create.py "$job"
OTEL_SERVICE_NAME=batch-collect opentelemetry-instrument python collect.py "$job"
