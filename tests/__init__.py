"""The tests of pid1lint."""
