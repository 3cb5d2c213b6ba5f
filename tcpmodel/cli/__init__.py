"""The command ``tcpmodel``: one module per command, imported only when that command is used.

Owns: the command line, what it prints and the exit statuses.
Must never hold: anything that a program which imports tcpmodel could want to call.
"""
