"""The expression classifier of Barradas-Chacon, Salvador, Werner, whose encoder their other systems share."""
