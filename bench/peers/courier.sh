#!/bin/bash
# Courier pop3d. Uses the paths compiled into the packages: /etc/courier/{authdaemonrc,userdb*} and
# /run/courier. courier-pop conflicts with the other POP3 packages, so its two programs are unpacked
# under $SCRATCH/deb/x by setup.sh. Passwords: userdb, {SHA}.
. "$(dirname "$0")/common.sh"
BIN=$SCRATCH/deb/x/courier-pop/usr/lib/courier/courier
if [ "$ACTION" = stop ]; then stop_pids; exit 0; fi
mkdir -p /run/courier/authdaemon
chown courier:courier /run/courier /run/courier/authdaemon
chmod 755 /run/courier /run/courier/authdaemon
PW="{SHA}$(printf %s "$PASSWORD" | openssl dgst -sha1 -binary | base64)"
if [ ! -e /etc/courier/authdaemonrc.before-popkeep-bench ]; then # or userdb may be one of ours
    [ ! -e /etc/courier/userdb ] || cp -p /etc/courier/userdb /etc/courier/userdb.before-popkeep-bench
    cp -p /etc/courier/authdaemonrc /etc/courier/authdaemonrc.before-popkeep-bench
fi
for i in $(seq 0 $((NUSERS - 1))); do
    printf 'b%d\thome=%s/b%d|mail=%s/b%d/Maildir|uid=%d|gid=%d|systempw=%s\n' $i "$ROOT" $i "$ROOT" $i $VUID $VGID "$PW"
done >/etc/courier/userdb
chmod 600 /etc/courier/userdb
makeuserdb
sed -i -e 's/^authmodulelist=.*/authmodulelist="authuserdb"/' -e "s/^daemons=.*/daemons=5/" /etc/courier/authdaemonrc
set -a; . /etc/courier/authdaemonrc; set +a
setsid courierlogger -name=authdaemond -pid="$RUN/authdaemond.pid" -start /usr/lib/courier/courier-authlib/authdaemond </dev/null >"$RUN/log" 2>&1
# Defaults are MAXDAEMONS=40 MAXPERIP=4: too low for a load generator on one address.
env -i PATH="$PATH" MAXDAEMONS=2000 MAXPERIP=2000 POP3AUTH= POP3AUTH_ORIG= POP3_TLS=0 POP3_PROXY=0 MAILDIRPATH=Maildir \
    prefix=/usr exec_prefix=/usr sbindir=/usr/sbin bindir=/usr/bin libexecdir=/usr/lib/courier SHELL=/bin/sh \
    courierlogger -name=pop3d -pid="$RUN/pop3d.pid" -start \
    couriertcpd -address=127.0.0.1 -maxprocs=2000 -maxperip=2000 -nodnslookup -noidentlookup "$PORT" \
    "$BIN/courierpop3login" "$BIN/courierpop3d" Maildir </dev/null >>"$RUN/log" 2>&1
cat "$RUN/authdaemond.pid" "$RUN/pop3d.pid" >"$RUN/pids"
wait_port "$PORT"
