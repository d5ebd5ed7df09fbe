"""Meshes and poses on which rasterizers are compared, and the file of what pytorch3d makes of them."""
