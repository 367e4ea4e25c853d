"""Conversations in the terminal: one renderer for `opentelemetry-genai run`, the demonstration and the exporter `genai_console`.

Spans become records (`record`), with what is shown of their messages (`messages`) and in one line (`facts`). `traces` holds them until
their trace is complete, `tree` makes its lines, `terminal` writes them. `tally` counts, `summary` shows what was counted.
"""
