"""What people see while a stack starts, runs and stops."""
