"""What the application says of its calls: blocks of code, hooks of its own, enrichers."""
