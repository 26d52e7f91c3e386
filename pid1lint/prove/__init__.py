"""Tries a verdict: starts an image, stops it as an engine does, and says what became of whom."""
