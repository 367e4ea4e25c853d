"""The GenAI conventions as data: names, generations, and modes of content capture. Imports nothing of ours."""
