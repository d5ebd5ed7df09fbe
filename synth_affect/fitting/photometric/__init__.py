"""Photometric refinement: the pixels of a face correct what its landmarks said.

Gauss-Newton over pose, distance, identity and expression of a batch of faces on any device of torch, from pixels, the
landmarks with what they have in common in error, and the outline of turned faces. At every step the light (nine
spherical harmonics a channel) and a smooth albedo, in which a pixel is linear, are eliminated exactly. What is seen of
the surface is found by a rasterizer every few steps and held in between. torch is imported when a refinement begins,
never by importing a module.
"""
