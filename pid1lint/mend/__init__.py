"""Fixes that several rules offer, and the edits that they are made of: the room that rules build fixes in."""
