"""Gives lines to a fail2ban filter as fail2ban's reader of systemd's journal does: with the host and the
process put before each, and the time beside it. Prints the addresses that the filter sees, one a line.

    fail2ban_journal.py FILTER LINES
"""

import sys
import time

# Where Debian's fail2ban puts its modules, whatever Python runs this.
sys.path.append("/usr/lib/python3/dist-packages")

from fail2ban.client.fail2banregex import Fail2banRegex, get_opt_parser  # noqa: E402

filter_file, lines_file = sys.argv[1:]
options, _ = get_opt_parser().parse_args(["--usedns=no", "-o", "ip"])
regex = Fail2banRegex(options)
regex._backend = "systemd"
if not regex.readRegex(filter_file, "fail"):
    sys.exit("the filter cannot be read")
regex.setDatePattern(None)

now = time.time()
iso = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(now))
with open(lines_file, encoding="utf-8", newline="\n") as lines:
    # As FilterSystemd.formatJournalEntry has it.
    entries = ["mail popkeep[4711]: " + line.rstrip("\n") for line in lines]
regex.process([(("", iso + " ", entry), now) for entry in entries])
