"""A model server that speaks the APIs of OpenAI, Anthropic and Ollama, and some of others."""
