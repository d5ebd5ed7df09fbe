"""ExprGAN (Ding, Sricharan, Chellappa 2018): an expression's class and its intensity, through a controller."""
