"""Message content before anything carries it: redaction, then the budget; and the completion hooks that take it."""
