"""The codec of the wire: bytes in, bytes out, and counters of what leaves this process."""
