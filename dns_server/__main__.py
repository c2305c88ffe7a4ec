"""`python -m dns_server` is the command `unizone`."""

import sys

from dns_server.cli import main

sys.exit(main())
