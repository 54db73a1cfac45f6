"""The core way: prices and a bound for all projects together, plans from the projects that prices leave in doubt."""
