"""Sparse localized deformation components (Neumann et al. 2013)."""
