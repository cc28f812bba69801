# Sourced by the server scripts:  NAME.sh start|stop MAILDIRS PORT
# start returns once the port accepts; $RUN/pids then holds the first process ids (their descendants
# are the rest of the server). stop ends just those.
# From the environment: SCRATCH, NUSERS (50), PASSWORD (secret).
set -eu
: "${SCRATCH:?the folder that everything is made in}"
NUSERS=${NUSERS:-50}
PASSWORD=${PASSWORD:-secret}
VUID=21000 VGID=21000
NAME=$(basename "$0" .sh)
RUN=$SCRATCH/run/$NAME
ACTION=${1:-} ROOT=${2:-} PORT=${3:-}
case $ACTION in
start) [ -n "$ROOT" ] && [ -n "$PORT" ] || { echo "usage: $0 start|stop MAILDIRS PORT" >&2; exit 2; } ;;
stop) ;;
*) echo "usage: $0 start|stop MAILDIRS PORT" >&2; exit 2 ;;
esac
[ "$ACTION" = stop ] || { ROOT=$(readlink -f "$ROOT"); mkdir -p "$RUN"; chmod 755 "$SCRATCH" "$SCRATCH/run" "$RUN"; }

# A thousand connections, some servers with several descriptors each.
ulimit -n 65536 2>/dev/null || ulimit -n "$(ulimit -Hn)"

wait_port() { # port: up to 10 s until it accepts
    for _ in $(seq 100); do
        (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return 0
        sleep .1
    done
    echo "$NAME: nothing listens on $1" >&2
    return 1
}
kill_wait() { # signal pid...: up to 10 s
    local sig=$1 p; shift
    for p in "$@"; do kill "-$sig" "$p" 2>/dev/null || true; done
    for p in "$@"; do
        for _ in $(seq 100); do kill -0 "$p" 2>/dev/null || break; sleep .1; done
        kill -0 "$p" 2>/dev/null && { echo "$NAME: $p did not end, SIGKILL" >&2; kill -9 "$p" 2>/dev/null || true; }
    done
    return 0
}
stop_pids() { # ends the processes that start noted, and what they started
    [ -f "$RUN/pids" ] || return 0
    local roots kids
    roots=$(cat "$RUN/pids")
    kids=$(descendants $roots)
    kill_wait TERM $roots
    kill_wait TERM $kids
    rm -f "$RUN/pids"
}
descendants() {
    local todo=("$@") k
    while [ ${#todo[@]} -gt 0 ]; do
        k=($(cat /proc/"${todo[0]}"/task/*/children 2>/dev/null || true))
        todo=("${todo[@]:1}" ${k[@]+"${k[@]}"})
        [ ${#k[@]} -eq 0 ] || printf '%s\n' "${k[@]}"
    done
}
system_users() { # number: makes them b0, b1, ... of passwd and shadow (for servers that need system users)
    /usr/bin/python3 -W ignore "$(dirname "$0")/system_users.py" "$1" "$PASSWORD" "$VUID" "$VGID" "${ROOT:-/}"
}
