"""One network interface, without I/O: frames in, frames out, and when it next wants to run."""
