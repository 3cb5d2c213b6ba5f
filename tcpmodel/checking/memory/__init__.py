"""What was learned of packets, so that the next one of its kind is taken at once."""
