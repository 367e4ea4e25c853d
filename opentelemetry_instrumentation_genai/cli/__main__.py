"""`python -m opentelemetry_instrumentation_genai.cli` is the command `opentelemetry-genai`."""

from . import main

main()
