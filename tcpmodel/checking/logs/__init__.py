"""Logs of states, events and calls, and several views of one connection."""
