"""Lint rules for policies: what is legal, and most likely not meant."""
