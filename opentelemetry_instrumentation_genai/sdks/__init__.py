"""Further SDKs of the Stainless family: one module or folder each."""
