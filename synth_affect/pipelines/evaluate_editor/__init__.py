"""The yardstick: every editor of this package before the same targets, judges and measures."""
