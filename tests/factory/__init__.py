"""Measures facts: starts real programs as PID 1 in a throw-away root and writes down what signals do to them."""
