"""What the instrumentation records, shown: `programs` call the model server in `server`, and their telemetry goes to `receiver`."""
