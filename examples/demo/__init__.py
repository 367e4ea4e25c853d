"""What the instrumentation sees of an application, shown in a terminal."""
