"""OpenAI's API, which many servers and SDKs speak: chat completions, completions, responses, embeddings."""
