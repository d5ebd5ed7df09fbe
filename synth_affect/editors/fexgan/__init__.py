"""FExGAN (Siddiqui 2022): a conditional variational autoencoder with a discriminator that also tells the class."""
