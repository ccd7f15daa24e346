"""What is asked before a start: imports, addresses, health."""
