"""Readers of faces that say what an edited face looks like: affect, units of expression, identity."""
