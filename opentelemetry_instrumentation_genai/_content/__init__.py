"""Message content before anything carries it: redaction, then the budget."""
