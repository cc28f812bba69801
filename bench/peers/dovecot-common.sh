# Sourced by dovecot-{default,fast}[-tls].sh after setting VARIANT and TLS.
# With TLS=1, PORT is plain with STLS and PORT+1 is implicit TLS.
# From the environment: USER_SECRET, what stands in the password field ({PLAIN}secret).
. "$(dirname "$0")/common.sh"
CONF=$RUN/dovecot.conf
if [ "$ACTION" = stop ]; then stop_pids; exit 0; fi
rm -rf "$RUN/base" "$RUN/log"; mkdir -p "$RUN/base"
for i in $(seq 0 $((NUSERS - 1))); do echo "b$i:${USER_SECRET:-"{PLAIN}$PASSWORD"}"; done >"$RUN/users"
{
cat <<C
base_dir = $RUN/base
log_path = $RUN/log
protocols = pop3
listen = 127.0.0.1
disable_plaintext_auth = no
passdb {
  driver = passwd-file
  args = scheme=PLAIN $RUN/users
}
userdb {
  driver = static
  args = uid=$VUID gid=$VGID home=$ROOT/%u
}
mail_location = maildir:~/Maildir
first_valid_uid = $VUID
# The default, 10, is too low for a load generator on one address.
mail_max_userip_connections = 2000

C
if [ "$TLS" = 1 ]; then
    cat <<C
ssl = yes
ssl_cert = <$SCRATCH/tls.crt
ssl_key = <$SCRATCH/tls.key
service pop3-login {
  inet_listener pop3 {
    port = $PORT
  }
  inet_listener pop3s {
    port = $((PORT + 1))
    ssl = yes
  }
}
C
else
    cat <<C
ssl = no
service pop3-login {
  inet_listener pop3 {
    port = $PORT
  }
  inet_listener pop3s {
    port = 0
  }
}
C
fi
if [ "$VARIANT" = fast ]; then # https://doc.dovecot.org/2.3/admin_manual/login_processes/ "High-performance mode"
    cat <<C
service pop3-login {
  service_count = 0
  process_min_avail = 2
}
service pop3 {
  service_count = 100000
  process_min_avail = 2
}
service auth {
  client_limit = 2000
}
C
elif [ "$TLS" = 1 ]; then # a TLS session keeps its login process: the default limit is 100
    cat <<C
service pop3-login {
  process_limit = 1100
}
service auth {
  client_limit = 4000
}
C
fi
} >"$CONF"
dovecot -c "$CONF"
wait_port "$PORT"
for _ in $(seq 50); do [ -s "$RUN/base/master.pid" ] && break; sleep .1; done
cat "$RUN/base/master.pid" >"$RUN/pids"
