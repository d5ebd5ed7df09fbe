"""A database augmented: neutral faces of it made to feel what was asked for, with labels, safely and reproducibly."""
