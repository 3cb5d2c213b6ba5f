"""What kernels, stacks and tools tell of connections: states, sockets, calls."""
