"""Writers of the layouts of databases: how new pictures are named, and the label files beside them."""
