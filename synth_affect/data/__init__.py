"""Files in and out: pictures, provenance, whole or not at all."""
