#!/bin/sh
# Finds the Bun and the Deno that npm has installed and links them at node_modules/.runtimes/, where the
# Makefile and the tests look for them. Their install scripts, which would put them elsewhere, are not run by make:
# the binaries stand in the package of the platform. Who has run npm himself may have them in either place, so
# each is tried by running it.
set -eu
cd "$(dirname "$0")/.."
mkdir -p node_modules/.runtimes

link() { # link NAME CANDIDATE...
  name=$1
  shift
  for candidate in "$@"; do
    if [ -x "$candidate" ] && "$candidate" --version >/dev/null 2>&1; then
      ln -sf "../../$candidate" "node_modules/.runtimes/$name"
      return
    fi
  done
  echo "There is no $name that runs on this machine in node_modules; see https://$name.com for platforms." >&2
  exit 1
}

link bun node_modules/bun/bin/bun.exe node_modules/@oven/bun-*/bin/bun
link deno node_modules/@deno/*/deno node_modules/deno/deno
