"""Rendered people: a head model with procedural skin, hair, eyes and clothes, in light of its own, before a camera.

Nothing here comes from a photograph. Surface detail is painted on a chart that every head model has (`chart`), so that
no part asks which model it is given.
"""
