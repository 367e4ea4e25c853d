"""What every room uses: the guard of our own exceptions, exit and fork, work in the background, and the loading of callables by name."""
