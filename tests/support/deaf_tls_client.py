"""A client that sends commands over TLS and never reads: Deno's own TLS sockets read on where they are paused.

usage: deaf_tls_client.py PORT OCTETS          OCTETS of commands
       deaf_tls_client.py PORT OCTETS stls     60,000 octets in the clear before them, then STLS
       deaf_tls_client.py PORT OCTETS COMMANDS these first, a line each

Prints "all" when OCTETS were taken, "stopped" when nothing was for a second; then stays connected until its
standard input ends.
"""

import socket
import ssl
import sys
import time

COMMANDS = b"CAPA\r\n" * 10_000

port, octets, *first = sys.argv[1:]
connection = socket.create_connection(("127.0.0.1", int(port)))
if first == ["stls"]:
    # All that comes before TLS is read, as the answer to STLS is at its end.
    connection.recv(1)
    connection.sendall(COMMANDS)
    # Apart from them, so that it comes while they are being answered and the socket is not read.
    time.sleep(0.02)
    connection.sendall(b"STLS\r\n")
    said = b""
    while not said.endswith(b"+OK begin TLS negotiation\r\n"):
        said = (said + connection.recv(65_536))[-1_000_000:]
context = ssl.create_default_context()
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE
connection = context.wrap_socket(connection)
if first and first != ["stls"]:
    connection.sendall("".join(f"{command}\r\n" for command in first).encode())
connection.settimeout(1)
sent = 0
try:
    while sent < int(octets):
        connection.sendall(COMMANDS)
        sent += len(COMMANDS)
    print("all", flush=True)
except TimeoutError:
    print("stopped", flush=True)
sys.stdin.read()
