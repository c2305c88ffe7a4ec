"""Response rate limiting: how many answers of a kind a network gets over UDP, so that nobody is flooded through us."""
