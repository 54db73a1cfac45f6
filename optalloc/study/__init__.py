"""What is asked of a round beyond its plan, one package a question. A study takes a solved round and gives a table."""
