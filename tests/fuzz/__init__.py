"""Inputs that nobody thought of: made out of those that somebody did, and held against what must hold for any."""
