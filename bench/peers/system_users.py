"""Makes the accounts b0, b1, ... of /etc/passwd and /etc/shadow just the number that is asked for.

  system_users.py NUMBER PASSWORD UID GID HOMES        NUMBER 0 removes them

Two files are written whole instead of useradd a thousand times. The accounts carry a mark in their
comment field; only what carries it is removed, and an account of another's that is in the way is a
fault. DES crypt: the cheapest scheme that pam_unix takes, so that the server is measured and not the
hash."""
import crypt, fcntl, os, sys

MARK = "popkeep bench"


def replace(path, lines):
    """Writes beside and renames, with the owner and mode of the old file."""
    st, new = os.stat(path), path + ".popkeep-bench"
    with open(new, "w") as f:
        os.fchmod(f.fileno(), st.st_mode & 0o7777)
        os.fchown(f.fileno(), st.st_uid, st.st_gid)
        f.writelines(lines)
    os.rename(new, path)


def main():
    number, password, uid, gid, homes = sys.argv[1:]
    names = ["b%d" % i for i in range(int(number))]
    hashed = crypt.crypt(password, "pb")
    with open("/etc/.pwd.lock", "a") as lock:
        fcntl.lockf(lock, fcntl.LOCK_EX)
        passwd, shadow = list(open("/etc/passwd")), list(open("/etc/shadow"))
        ours = {l.split(":")[0] for l in passwd if l.split(":")[4:5] == [MARK]}
        others = {l.split(":")[0] for l in passwd} - ours
        taken = others.intersection(names)
        if taken:
            sys.exit("the account %s is somebody's: the benchmark needs that name" % sorted(taken)[0])
        replace("/etc/passwd", [l for l in passwd if l.split(":")[0] not in ours]
                + ["%s:x:%s:%s:%s:%s/%s:/bin/sh\n" % (n, uid, gid, MARK, homes, n) for n in names])
        replace("/etc/shadow", [l for l in shadow if l.split(":")[0] not in ours]
                + ["%s:%s:19000:0:99999:7:::\n" % (n, hashed) for n in names])


main()
