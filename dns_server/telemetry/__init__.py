"""What the service tells about itself: counters and histograms, and their forms for machines and for people."""
