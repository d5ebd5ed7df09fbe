"""Training regressors and editors: faces cut out for it, people held out of it, runs, and the experiments on them."""
