# What tally.py takes the C types of from elsewhere; its own are in its annotations.
from dns_server.answer.batch cimport Batch
