"""What was found, in little room and in the words of the checker; how it is shown is for ``report``."""
