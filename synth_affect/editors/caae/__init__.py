"""The conditional adversarial autoencoder with valence-arousal labels of Lindt, Barros, Siqueira, Wermter 2019.

An encoder E brings a picture to a code, and a generator G a code and a label back to a picture. One discriminator holds
codes to a uniform prior, so that they are smooth and have little room for what the label says already; another holds
pictures, seen with their labels, to real ones.
"""

from synth_affect.editors.caae.crop_editor import open_crop_editor
from synth_affect.editors.caae.learner import build_learner
from synth_affect.editors.caae.settings import CaaeSettings

__all__ = ["CaaeSettings", "build_learner", "open_crop_editor"]
