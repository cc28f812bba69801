#!/bin/bash
# solid-pop3d under tcpserver (ucspi-tcp). Needs system users (added at start, removed at stop);
# authentication by PAM (pam_unix, DES crypt in /etc/shadow). The package conflicts with the others, so
# its program is unpacked under $SCRATCH/deb/x by setup.sh.
. "$(dirname "$0")/common.sh"
BIN=$SCRATCH/deb/x/solid-pop3d/usr/sbin/solid-pop3d
if [ "$ACTION" = stop ]; then stop_pids; system_users 0; exit 0; fi
system_users "$NUSERS"
mkdir -p /var/lib/solid-pop3d/bulletins
printf '@include common-auth\n@include common-account\n' >/etc/pam.d/solid-pop3d
cat >"$RUN/conf" <<C
<Global>
	MailDropName	"$ROOT/%s/Maildir"
	MailDropType	maildir
	AutoLogoutTime	10m
	AddBulletins	no
	UserOverride	no
	AllowAPOP	no
</Global>
C
chmod 644 "$RUN/conf"
# Alone it always binds *:110 and turns away a source after a few sessions, so it runs from a
# super-server, its other mode (one fork and exec a connection).
setsid tcpserver -H -R -l0 -c 2000 -b 1024 127.0.0.1 "$PORT" "$BIN" -f "$RUN/conf" </dev/null >"$RUN/log" 2>&1 &
echo $! >"$RUN/pids"
wait_port "$PORT"
