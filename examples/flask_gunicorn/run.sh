# Where the telemetry goes, and how.
export OTEL_EXPORTER_OTLP_ENDPOINT="${OTEL_EXPORTER_OTLP_ENDPOINT:-http://127.0.0.1:4318}"
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
# Where the model is: the embedded server, unless your shell says otherwise.
export OPENAI_BASE_URL="${OPENAI_BASE_URL:-http://127.0.0.1:8085/v1}"
export OPENAI_API_KEY="${OPENAI_API_KEY:-demo}"
# Where the application is.
export WEB_PORT="${WEB_PORT:-8087}"

OTEL_SERVICE_NAME=web-app opentelemetry-instrument gunicorn app:app &
gunicorn=$!
OTEL_SERVICE_NAME=web-client opentelemetry-instrument python client.py
status=$?
# The workers end their requests, export what is left, and are gone when the first process is.
kill -TERM "$gunicorn"
wait "$gunicorn" || status=$?
exit "$status"
