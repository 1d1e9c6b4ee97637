"""Drawn stand-ins with the label statistics of the real data sets."""
