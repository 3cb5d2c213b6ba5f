"""JSON Lines, the form of our own, and JSON from strangers."""
