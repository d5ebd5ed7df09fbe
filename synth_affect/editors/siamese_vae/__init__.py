"""The siamese comparator of Barradas-Chacon, Salvador, Werner, and the variational autoencoder that it supports."""
