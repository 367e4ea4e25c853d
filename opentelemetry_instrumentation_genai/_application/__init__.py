"""What an application adds to its calls: attributes and capture modes of blocks of code, hooks, enrichers."""
