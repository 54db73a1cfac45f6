"""Studies of solved rounds."""
