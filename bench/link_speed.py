"""What a shaped link really carries, measured with plain sockets: ``python -m bench.link_speed``.

One sender and one receiver, each in a namespace of its own, TCP, one stream. The first megabytes are left out: they
fill the buckets and open the window.
"""

from __future__ import annotations

import json
import subprocess
import sys

import click

from .namespaces import allowed, bits_per_second, bridged, enter

_RECEIVE = """
import json, socket, sys, time
host, total, skipped = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
server = socket.create_server((host, 0))
print(server.getsockname()[1], flush=True)
server.settimeout(30)
peer, _ = server.accept()
buffer, got, start = bytearray(1 << 20), 0, None
while got < total + skipped:
    n = peer.recv_into(buffer)
    if not n:
        sys.exit("the sender stopped early")
    got += n
    if start is None and got >= skipped:
        start, first = time.perf_counter(), got
print(json.dumps((got - first) / (time.perf_counter() - start)))
"""
_SEND = """
import socket, sys
host, port, total = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with socket.create_connection((host, port), timeout=30) as peer:
    block = bytes(1 << 20)
    for _ in range(total >> 20):
        peer.sendall(block)
"""


def link_speed(rate: str | None, megabytes: int = 64, skipped: int = 4) -> float:
    """Return bytes/s that one TCP stream moves from one namespace to another."""
    total, before = megabytes << 20, skipped << 20
    python = [sys.executable, "-c"]
    with bridged(2, rate) as net:
        command = [*net.prefixes[0], *python, _RECEIVE, net.hosts[0], str(total), str(before)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as receiver:
            assert receiver.stdout is not None
            port = receiver.stdout.readline().strip()
            command = [*net.prefixes[1], *python, _SEND, net.hosts[0], port, str(total + before)]
            subprocess.run(command, check=True, timeout=120)
            return float(json.loads(receiver.stdout.readline()))


@click.command(help=__doc__)
@click.argument("rates", nargs=-1)
def main(rates: tuple[str, ...]) -> None:
    enter()
    ok, reason = allowed()
    if not ok:
        raise click.ClickException(f"shaped links are not available here: {reason}")
    for rate in rates or ("100mbit", "1gbit", "none"):
        nominal = None if rate == "none" else bits_per_second(rate)
        speed = link_speed(None if nominal is None else rate, megabytes=16 if nominal and nominal < 5e8 else 64)
        share = "" if nominal is None else f"  {100 * speed * 8 / nominal:.0f} % of nominal"
        click.echo(f"{rate:>8}: {speed / 1e6:8.1f} MB/s{share}")


if __name__ == "__main__":
    main()
