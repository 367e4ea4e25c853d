"""The boards, a module each with a function `board`."""
