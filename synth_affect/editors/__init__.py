"""Ways to make a face feel something else, behind one protocol."""
