"""Why each project is in the plan or not, and where that turns."""
