"""Patching the SDKs: instrumentors, the seam of the Stainless family, other instrumentations, propagation."""
