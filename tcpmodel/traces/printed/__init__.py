"""Packets that a tool printed: tcpdump, tshark, and the scripts of packetdrill."""
