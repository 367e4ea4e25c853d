"""One call from its start to its end, and the context in which it runs."""
