"""Strata learns named, tiered interests from behaviour and text, and recommends from them."""
