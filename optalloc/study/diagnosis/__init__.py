"""Why no plan exists, and the cheapest way out."""
