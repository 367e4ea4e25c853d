"""What all boards share: their variables, queries of both generations of names, panels, limits, and the layout."""
