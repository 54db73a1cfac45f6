"""What is asked of a round beyond its plan."""
