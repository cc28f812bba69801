"""What Python's email library makes of messages when it reads them and writes them out again.

usage: getmail_email.py FOLDER...

In each FOLDER the file "in" holds a message with LF line ends; the result goes to the file "out". This is
what getmail does to every message on its way (getmailcore/message.py), done without getmail and without
a server.
"""

import os
import sys
from email.parser import BytesParser

for folder in sys.argv[1:]:
    with open(os.path.join(folder, "in"), "rb") as file:
        message = BytesParser().parsebytes(file.read())
    with open(os.path.join(folder, "out"), "wb") as file:
        file.write(message.as_bytes(policy=message.policy.clone(linesep="\n")))
