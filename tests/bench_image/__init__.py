"""`make bench-image`: images beside their goals, and beside Linux with NSD in the same emulated machine, in turns.

`systems.py` has what is started, `machines.py` starts and asks it, `figures.py` measures.
"""
