"""Following a response whose body the application reads: its events, its bytes, and the usage in it."""
