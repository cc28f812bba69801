"""Runs a command at a pseudo terminal, types what a dialogue says, and prints what happened as JSON.

    python3 terminal.py '{"dialogue": [["wait for", "type"], ...], "columns": 80}' command ...

Each answer is typed when its text has appeared after the last answer's.
"""

import fcntl
import json
import os
import pty
import struct
import sys
import termios

script = json.loads(sys.argv[1])
child, terminal = pty.fork()
if child == 0:
    # The size is set before the command can ask for it.
    size = struct.pack("HHHH", 24, script["columns"], 0, 0)
    fcntl.ioctl(0, termios.TIOCSWINSZ, size)
    os.execvp(sys.argv[2], sys.argv[2:])

screen = b""
seen = 0
dialogue = script["dialogue"]
while True:
    try:
        octets = os.read(terminal, 65536)
    except OSError:  # EIO: the command has closed the terminal
        break
    if not octets:
        break
    screen += octets
    while dialogue and (at := screen.find(dialogue[0][0].encode(), seen)) >= 0:
        wait_for, answer = dialogue.pop(0)
        seen = at + len(wait_for.encode())
        os.write(terminal, answer.encode())

_, status = os.waitpid(child, 0)
json.dump(
    {
        "exitCode": os.waitstatus_to_exitcode(status),
        "screen": screen.decode("utf-8", "replace").replace("\r\n", "\n"),
    },
    sys.stdout,
)
