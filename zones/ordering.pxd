# No types: iterating and sorting are what costs here.
