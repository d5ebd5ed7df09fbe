"""The 4D gallery: values, storage, verification."""
