"""Packets in the bytes of a capture, from its file header to the options of a segment."""
