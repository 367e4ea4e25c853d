# Who calls.
export OTEL_SERVICE_NAME=notebook
# Where the telemetry goes.
export OTEL_EXPORTER_OTLP_ENDPOINT="${OTEL_EXPORTER_OTLP_ENDPOINT:-http://127.0.0.1:4318}"
# Where the model is: the embedded server, unless your shell says otherwise.
export OPENAI_BASE_URL="${OPENAI_BASE_URL:-http://127.0.0.1:8085/v1}"
export OPENAI_API_KEY="${OPENAI_API_KEY:-demo}"

# All cells are run, and printed with what they show, without colours. To work in it: `jupyter lab notebook.ipynb` in place of this.
NO_COLOR=1 exec jupyter nbconvert --to markdown --execute --stdout --log-level ERROR --KernelManager.transport=ipc notebook.ipynb
