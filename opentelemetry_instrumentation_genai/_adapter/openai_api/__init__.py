"""OpenAI's API, which many servers and SDKs speak: chat completions, responses, embeddings, images, sound, and the rest."""
