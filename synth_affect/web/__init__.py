"""Pages for a browser, served on this machine."""
