"""The regions that every head model is divided into."""

from __future__ import annotations

REGIONS = (
    "skin", "lips", "lids", "eyeball", "iris", "lashes", "mouth_cavity", "teeth_upper", "teeth_lower", "gums", "tongue",
    "neck", "scalp", "ears",
)  # fmt: skip
