"""Stores over stores: each takes a store and is one, with one more promise."""
