# Sourced by popkeep[-2|-tls].sh. PORT is plain with STLS, PORT+1 is implicit TLS.
# From the environment: POPKEEP_EXECUTABLE; USER_SECRET, what stands in the password field
# ({PLAIN}secret, as for Dovecot); SETTINGS, further lines of the settings file.
. "$(dirname "$0")/common.sh"
if [ "$ACTION" = stop ]; then stop_pids; exit 0; fi
rm -rf "$RUN/state" "$RUN/log"; mkdir -p "$RUN/state"
for i in $(seq 0 $((NUSERS - 1))); do echo "b$i:${USER_SECRET:-"{PLAIN}$PASSWORD"}::::$ROOT/b$i"; done >"$RUN/users"
cat >"$RUN/popkeep.toml" <<C
unencrypted_or_tls_bindings = ["127.0.0.1:$PORT"]
ssl_bindings = ["127.0.0.1:$((PORT + 1))"]
user_file = "users"
maildir = "{home}/Maildir"
state_folder = "$RUN/state"
login_type = "plaintext_login"
# Starts alone are measured as root.
user = "root"
# The defaults are too low for a load generator on one address.
max_connections = 5000
max_connections_from_single_address = 5000
max_connections_per_user = 5000
${SETTINGS:-}

[[certificates]]
certificate_file = "$SCRATCH/tls.crt"
key_file = "$RUN/tls.key"
C
cp "$SCRATCH/tls.key" "$RUN/tls.key"
chmod 600 "$RUN/users" "$RUN/tls.key"
chown -R $VUID:$VGID "$RUN/users" "$RUN/tls.key" "$RUN/state"
# As the user who owns the mail, which is how it is meant to be run.
setpriv --reuid=$VUID --regid=$VGID --clear-groups \
    "$POPKEEP_EXECUTABLE" serve --config "$RUN/popkeep.toml" </dev/null >"$RUN/log" 2>&1 &
echo $! >"$RUN/pids"
wait_port "$PORT"
