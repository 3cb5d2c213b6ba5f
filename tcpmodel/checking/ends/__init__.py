"""What one endpoint may be, and what is noted of both and of hosts: the spec, followed along what was seen."""
