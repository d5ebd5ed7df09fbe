"""The valence-arousal grid of expressions: built from a gallery, kept in a file, read at a point."""
