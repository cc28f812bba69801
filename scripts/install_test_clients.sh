#!/bin/sh
# Installs the mail clients that tests/clients/ downloads the demo mail with, on Debian and its kin, as
# root. Does nothing when all are there. Two runs at once wait for each other.
set -eu

missing=''
need() { # COMMAND PACKAGE
  command -v "$1" >/dev/null 2>&1 || missing="$missing $2"
}
need curl curl
need fetchmail fetchmail
need mpop mpop
need getmail getmail6
need mutt mutt
need gsasl gsasl
need ntlm_auth winbind # Samba's NTLM, as a client and as a helper; its daemon is not started
need openssl openssl # the authorities whose certificates tests show, and a TLS client of another make
# A Kerberos realm: its tools are in a folder that only root's PATH has.
PATH="$PATH:/usr/sbin:/sbin"
need krb5kdc krb5-kdc
need kadmin.local krb5-admin-server
need kinit krb5-user
# PAM: accounts of the system's own, and users that only a file of passwords knows.
need useradd passwd
find /lib/*/security /usr/lib/*/security -name pam_pwdfile.so 2>/dev/null | grep -q . ||
  missing="$missing libpam-pwdfile"
# Directory servers, which tests start in folders of their own.
need slapd slapd
need mariadbd mariadb-server
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$missing postgresql"
need python3 python3
need haproxy haproxy # a load balancer; only what tests start of it runs
need dovecot dovecot-pop3d # a POP3 server that mailboxes move away from; only what tests start of it runs
# Another one. Its package conflicts with the first one's: its programs are unpacked beside it, below.
courier=/usr/local/lib/popkeep-tests/courier-pop
courier_base=/usr/local/lib/popkeep-tests/courier-base # its deliverquota, which delivers into Maildirs
command -v courierpop3d >/dev/null 2>&1 || missing="$missing courier-authlib"
need postfix postfix # a mail system, with its smtp-source; only what tests start of it runs
need strace strace # to see what reaches the disk, and when
need bindfs bindfs # a filesystem that can be made to hang
need glusterfsd glusterfs-client # a filesystem that several hosts share; nothing of it is started
need faketime faketime # hosts whose clocks differ
need unshare util-linux # hosts on one machine: their processes and mounts
need ip iproute2 # and their network
need fail2ban-regex fail2ban # its filter's test; no ban is ever made
need script bsdutils # the terminal that mutt has to have

command -v deliverquota >/dev/null 2>&1 || missing="$missing " # apt-get has nothing to install for it

[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1 || [ "$(id -u)" -ne 0 ]; then
  echo "Not installed, since that takes apt-get and root:$missing" >&2
  exit 1
fi

export DEBIAN_FRONTEND=noninteractive
# The directory servers would be started as services. This file, which is there for that, says that nothing
# is to be started; where there is one already, its own will is done.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi
install() {
  # fetchmail, fail2ban, winbind and the KDC bring services that have nothing to do here. RUNLEVEL keeps what starts services
  # after an installation from doing so; without a realm's database a KDC ends at once anyway.
  # shellcheck disable=SC2086 -- the list is meant to be split
  RUNLEVEL=1 apt-get install --quiet --quiet --yes --no-install-recommends \
    -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 $missing >&2
}
# The package lists of a fresh machine are empty or old; fetching them first costs the others nothing.
install || { apt-get update --quiet --quiet >&2 && install; }

if ! command -v courierpop3d >/dev/null 2>&1; then
  # The libraries that it needs have other names in each release.
  missing=$(apt-cache depends courier-pop | sed -n 's/^ *Depends: \(lib[^ ]*\)$/\1/p' | tr '\n' ' ')
  install
  scratch=$(mktemp -d)
  # Debian's apt downloads as a user of its own.
  chmod 777 "$scratch"
  (cd "$scratch" && apt-get download --quiet --quiet courier-pop >&2)
  mkdir -p "$courier"
  dpkg-deb --extract "$scratch"/courier-pop_*.deb "$courier"
  ln -sf "$courier/usr/lib/courier/courier/courierpop3d" /usr/local/bin/courierpop3d
  rm -rf "$scratch"
fi

if ! command -v deliverquota >/dev/null 2>&1; then
  scratch=$(mktemp -d)
  chmod 777 "$scratch"
  (cd "$scratch" && { apt-get download --quiet --quiet courier-base >&2 ||
    { apt-get update --quiet --quiet >&2 && apt-get download --quiet --quiet courier-base >&2; }; })
  mkdir -p "$courier_base"
  dpkg-deb --extract "$scratch"/courier-base_*.deb "$courier_base"
  ln -sf "$courier_base/usr/bin/deliverquota.courier" /usr/local/bin/deliverquota
  rm -rf "$scratch"
fi
