"""Every parameter of the program: one table, in parts by topic, that feeds the command line, `--help`, `unizone args`
and the docs. A parameter is written `--name=value` on a command line and on a boot line alike. The table is data; how
texts become `Settings` is in `dns_server/settings.py`. A new one goes into the file of its topic, and its `TABLE`.
"""
