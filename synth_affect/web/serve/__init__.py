"""`synth-affect serve`: a page on which a photograph follows a point of the valence-arousal plane."""
