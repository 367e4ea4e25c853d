"""`opentelemetry-genai doctor`: what works and what does not on the way from a call to a backend, and what to do about it.

Each module looks at one thing and yields findings, with their texts in `catalogue`. Nothing is changed, and no SDK is imported into
the process of the command: `inspection` does that in one of its own, and `probe` runs in that of the user's program.
"""
