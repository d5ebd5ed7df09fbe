"""Figures and tables of the papers, drawn with networks that were trained here."""
