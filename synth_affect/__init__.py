"""synth-affect: the same person, in the same picture, feeling something else."""

__version__ = "0.1.0"
