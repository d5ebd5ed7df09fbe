"""The fader network of Barradas-Chacon, Salvador, Werner: an autoencoder round the expression classifier."""
