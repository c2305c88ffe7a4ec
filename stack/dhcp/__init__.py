"""DHCP client for IPv4: `table` has the automaton, `client` runs it without I/O, `service` puts it on an interface."""
