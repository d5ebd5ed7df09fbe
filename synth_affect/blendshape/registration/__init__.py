"""Raw scans of faces brought into the template's topology."""
