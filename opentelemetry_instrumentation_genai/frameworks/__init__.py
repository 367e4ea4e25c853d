"""Frameworks that run agents and tools: one folder each."""
