"""Steps of building the packaged CC0 head from the MakeHuman base mesh and targets; see tools/build_cc0_head.py."""
