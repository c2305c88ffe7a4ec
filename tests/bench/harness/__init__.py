"""What the benchmarks share: figures, the table and the picture of them, the machine they are measured on."""
