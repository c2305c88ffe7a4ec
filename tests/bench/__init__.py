"""Benchmarks, each a module here: `python -m tests.bench [NAME ...] [--quick]` measures and prints one table.

A benchmark's docstring begins with a sentence that says what it measures, and its `run(*, quick: bool)` yields
`Figure`s (`tests.bench.harness.figure`), each beside its goal where it has one. It runs in a process of its own. With
`quick` it does the same on a small scale, in seconds, which tells whether it works and not how fast things are.
What can't be measured on this machine is told by raising `NotHere` with the reason. `tests.bench.harness` is what the
benchmarks share.
"""
