#!/bin/bash
# Makes a Debian machine ready for the comparison: packages, programs, mail. What is there already is left.
#
#   setup.sh prepare [million]   with the mailbox of 1,000,000 messages (4 GiB) or without
#   setup.sh remove              takes back what was made outside $SCRATCH, but for packages
#
# From the environment: SCRATCH, the folder that everything is made in.
# Exits 77 when it is not root, 69 when the machine is not such that it can be done.
set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
: "${SCRATCH:?the folder that everything is made in}"
export DEBIAN_FRONTEND=noninteractive

cannot() { # exit code, sentence
    echo "The comparison cannot be run here: $2" >&2
    exit "$1"
}

[ "$(id -u)" = 0 ] || cannot 77 "installing and starting the other servers needs root, and this is $(id -un)."

if [ "${1:-}" = remove ]; then
    /usr/bin/python3 -W ignore "$HERE/peers/system_users.py" 0 - 0 0 /
    for user in popbench spop3d; do
        ! getent passwd $user >/dev/null || userdel $user || echo "The user $user could not be removed." >&2
    done
    ! getent group popbench >/dev/null || groupdel popbench
    rm -rf /etc/pam.d/solid-pop3d /var/lib/solid-pop3d
    if [ -e /etc/courier/authdaemonrc.before-popkeep-bench ]; then
        mv /etc/courier/authdaemonrc.before-popkeep-bench /etc/courier/authdaemonrc
        rm -f /etc/courier/userdb /etc/courier/userdb.dat /etc/courier/userdb.lock /etc/courier/userdbshadow.dat
        [ ! -e /etc/courier/userdb.before-popkeep-bench ] || { mv /etc/courier/userdb.before-popkeep-bench /etc/courier/userdb; makeuserdb; }
    fi
    exit 0
fi

PACKAGES="gcc libc6-dev libssl-dev openssl python3 iproute2 procps
    dovecot-core dovecot-pop3d courier-base courier-authdaemon liblockfile1 ucspi-tcp"
UNPACKED="courier-pop solid-pop3d" # they conflict with the other POP3 packages: not installed

is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

command -v apt-get >/dev/null && command -v dpkg-query >/dev/null ||
    cannot 69 "it takes the other servers from Debian's packages, and there is no apt-get."
mkdir -p "$SCRATCH/deb/x" "$SCRATCH/mail" "$SCRATCH/run" "$SCRATCH/bin"
chmod 755 "$SCRATCH"
million=$([ "${2:-}" = million ] && [ ! -e "$SCRATCH/mail/million/manifest.json" ] && echo 6000000 || echo 0)
others=$([ ! -e "$SCRATCH/mail/hinted/manifest.json" ] && echo 3000000 || echo 500000)
need_kib=$((million + others))
free_kib=$(df -Pk "$SCRATCH" | awk 'NR == 2 { print $4 }')
[ "$free_kib" -gt "$need_kib" ] ||
    cannot 69 "$SCRATCH needs $((need_kib / 1000)) MB of free disk and has $((free_kib / 1000)); SCRATCH=FOLDER chooses another place."

missing=""
for package in $PACKAGES; do is_installed "$package" || missing="$missing $package"; done
unfetched=""
for package in $UNPACKED; do ls "$SCRATCH/deb/$package"_*.deb >/dev/null 2>&1 || unfetched="$unfetched $package"; done
if [ -n "$missing$unfetched" ]; then
    # No package may start its daemon.
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
        chmod +x /usr/sbin/policy-rc.d
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    fi
    apt-get update -qq || true # where the lists are old but whole, that is enough
    for package in $missing $unfetched; do
        apt-cache show "$package" >/dev/null 2>&1 || cannot 69 "there is no Debian package $package to be had."
    done
    [ -z "$missing" ] || apt-get install -y -qq --no-install-recommends $missing >"$SCRATCH/run/apt.log" 2>&1 ||
        cannot 69 "installing$missing failed; $SCRATCH/run/apt.log says why."
    for package in $unfetched; do
        # The sandbox user of apt may not be able to write here.
        (cd "$SCRATCH/deb" && apt-get download -qq -o APT::Sandbox::User=root "$package") ||
            cannot 69 "the Debian package $package could not be downloaded."
    done
fi
for package in $UNPACKED; do
    [ -d "$SCRATCH/deb/x/$package" ] || dpkg-deb -x "$SCRATCH/deb/$package"_*.deb "$SCRATCH/deb/x/$package"
done

build() { # program, libraries: again when the source is newer
    [ "$SCRATCH/bin/$1" -nt "$HERE/$1.c" ] || gcc -O2 -Wall -o "$SCRATCH/bin/$1" "$HERE/$1.c" "${@:2}"
}
build pop3bench -lssl -lcrypto
build rawsend
build noop_probe

getent group popbench >/dev/null || groupadd -g 21000 popbench
getent passwd popbench >/dev/null || useradd -M -d /nonexistent -s /usr/sbin/nologin -u 21000 -g 21000 popbench
getent passwd spop3d >/dev/null || useradd -r -M -d /nonexistent -s /usr/sbin/nologin -g mail spop3d

# One self-signed P-256 certificate for every server.
if [ ! -s "$SCRATCH/tls.key" ]; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$SCRATCH/tls.key" -out "$SCRATCH/tls.crt" 2>/dev/null
    chmod 600 "$SCRATCH/tls.key"
fi

mail() { # name, the generator's options; the manifest is written last, so half a folder is made again
    [ -e "$SCRATCH/mail/$1/manifest.json" ] || /usr/bin/python3 "$HERE/mkmaildirs.py" --force "$SCRATCH/mail/$@" >/dev/null
}
mail ordinary
mail large --users 1 --messages 100000 --fixed 2048
mail hinted --users 1 --messages 100000 --fixed 2048 --sizes
[ "${2:-}" != million ] || mail million --users 1 --messages 1000000 --fixed 1024
