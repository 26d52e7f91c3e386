"""Turns results into text and JSON; only here is anything made for a reader's eye."""
