#!/bin/sh
# Makes an executable with `deno compile`: scripts/compile_with_deno.sh DENO OUTPUT
# Deno downloads `denort` for it, or takes the one that DENORT_BIN names. Exits 3 where neither is to be had.
set -eu
deno=$1
output=$2

if [ -n "${DENORT_BIN:-}" ] && [ ! -x "$DENORT_BIN" ]; then
  echo "DENORT_BIN names $DENORT_BIN, which is no executable file." >&2
  exit 3
fi
if said=$("$deno" compile --no-check --quiet -A --include src/auth/hash_worker.ts \
  --include src/auth/gssapi/gssapi_worker.ts --include src/auth/pam/pam_worker.ts \
  --include src/auth/sql/sqlite_worker.ts --include src/maildir/listing_worker.ts \
  --output "$output" main.ts 2>&1); then
  exit 0
fi
if echo "$said" | grep -qiE 'denort|download|dns error|error sending request|connect'; then
  echo "deno compile needs denort, which cannot be downloaded here; name a denort of this version of Deno in DENORT_BIN, or use \"make binary\"." >&2
  exit 3
fi
echo "$said" >&2
exit 1
