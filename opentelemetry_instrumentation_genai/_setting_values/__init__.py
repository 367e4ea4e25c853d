"""What the readers of settings, in whichever room, have in common: the errors for values, and callables that are given."""
