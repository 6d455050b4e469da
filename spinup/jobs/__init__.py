"""What crosses the process boundary: the call, and the child that makes it."""
