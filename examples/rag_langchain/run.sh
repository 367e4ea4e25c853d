# Who calls.
export OTEL_SERVICE_NAME=rag-langchain
# Where the telemetry goes, and how.
export OTEL_EXPORTER_OTLP_ENDPOINT="${OTEL_EXPORTER_OTLP_ENDPOINT:-http://127.0.0.1:4318}"
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
# Messages are recorded only if you ask for them.
export OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_only
# Where the model is: the embedded server, unless your shell says otherwise.
export OPENAI_BASE_URL="${OPENAI_BASE_URL:-http://127.0.0.1:8085/v1}"
export OPENAI_API_KEY="${OPENAI_API_KEY:-demo}"

exec opentelemetry-instrument python app.py
