"""Galleries of expressions: where they come from, what they hold, the grid they become, and what they say of affect."""
