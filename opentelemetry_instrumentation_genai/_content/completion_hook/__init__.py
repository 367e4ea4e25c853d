"""Completion hooks: how they are found, and how completions reach them."""
