# Where the telemetry goes, and how.
export OTEL_EXPORTER_OTLP_ENDPOINT="${OTEL_EXPORTER_OTLP_ENDPOINT:-http://127.0.0.1:4318}"
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
# Evaluations are events, which are logs.
export OTEL_LOGS_EXPORTER=otlp
# Where the model is: the embedded server, unless your shell says otherwise.
export OPENAI_BASE_URL="${OPENAI_BASE_URL:-http://127.0.0.1:8085/v1}"
export OPENAI_API_KEY="${OPENAI_API_KEY:-demo}"

database=$(mktemp)
trap 'rm -f "$database"' EXIT
set -e
OTEL_SERVICE_NAME=feedback-answers opentelemetry-instrument python answer.py "$database" "When is closing time of the cellars?"
OTEL_SERVICE_NAME=feedback-votes opentelemetry-instrument python vote.py "$database" up
