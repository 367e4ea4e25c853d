"""The observers of a call, one for each signal, and the module that builds their list."""
