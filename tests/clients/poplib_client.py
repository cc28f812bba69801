"""Downloads a maildrop with Python's poplib, as the first program that people write with it does.

usage: poplib_client.py WAY HOST PORT CERTIFICATE USER PASSWORD INBOX SEEN keep|delete

Messages go to INBOX/1, INBOX/2, ...; unique-ids that have been downloaded are kept in the file SEEN.
"""

import os
import poplib
import ssl
import sys

way, host, port, certificate, user, password, inbox, seen_file, mode = sys.argv[1:]

# poplib refuses lines of more than 2,048 octets, those of messages too; this is how its users help
# themselves, getmail among them.
poplib._MAXLINE = 1 << 20

context = ssl.create_default_context(cafile=certificate)
if way == "TLS":
    server = poplib.POP3_SSL(host, int(port), context=context)
else:
    server = poplib.POP3(host, int(port))
    if way == "STLS":
        server.stls(context=context)
server.user(user)
server.pass_(password)

seen = set()
if os.path.exists(seen_file):
    with open(seen_file) as file:
        seen = set(file.read().split())

count = len(os.listdir(inbox))
for line in server.uidl()[1]:
    number, unique_id = line.decode("ascii").split(" ")
    if unique_id not in seen:
        _, lines, _ = server.retr(int(number))
        count += 1
        with open(os.path.join(inbox, str(count)), "wb") as file:
            file.write(b"".join(line + b"\r\n" for line in lines))
        with open(seen_file, "a") as file:
            file.write(unique_id + "\n")
    if mode == "delete":
        server.dele(int(number))
server.quit()
