"""3D head models: one value, many sources."""
