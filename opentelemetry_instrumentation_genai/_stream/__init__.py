"""Following a response while the application reads its body: its events, its bytes, and the usage in it."""
