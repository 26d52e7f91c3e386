"""Where a program of the image comes from: what built it, of which source, and what that does with signals."""
