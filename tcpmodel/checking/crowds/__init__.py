"""Many connections at once: what waits, what is put away, what is told once for all."""
