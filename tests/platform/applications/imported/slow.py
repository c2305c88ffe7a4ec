"""Takes a while, so that a second thread comes upon it."""

import time

time.sleep(0.2)
DONE = True
