"""Deformations carried from one face to another."""
