"""Evaluation that remembers: which literal was reached, held or failed, and with which values."""
