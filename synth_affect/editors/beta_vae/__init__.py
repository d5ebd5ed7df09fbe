"""The semi-supervised beta-VAE of Barradas-Chacon, Salvador, Werner: seven numbers that are emotions."""
