"""The Messages API of Anthropic, which other servers and SDKs speak as well: its input, its responses and its streams."""
