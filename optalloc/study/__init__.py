"""What is asked of a round beyond its plan, one question a file: here, why there is none, and what would mend it."""
