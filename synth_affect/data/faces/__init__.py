"""Pictures and videos of faces: readers of the public databases, one module each, and writers of their layouts."""
