"""From a point of the valence-arousal plane to the expression units of a head."""
