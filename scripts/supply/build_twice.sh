#!/bin/sh
# Builds popkeep in two places that have as little in common as can be (folder, time zone, language, home,
# umask, a tsconfig.json above) and says whether the executables and their bills of materials are the same.
# Packages are those of node_modules/, which `npm ci` has compared with package-lock.json.
set -eu
cd "$(dirname "$0")/../.."

places=$(mktemp -d)
trap 'rm -rf "$places"' EXIT
trap 'exit 1' INT TERM
first=$places/first
second=$places/second/in/another/folder

for place in "$first" "$second"; do
  mkdir -p "$place"
  # Times are kept, as by them make knows that nothing has to be installed.
  cp -pR Makefile main.ts package.json package-lock.json tsconfig.json THIRD_PARTY_LICENSES.txt src scripts \
    "$place"
  cp -al node_modules "$place" 2>/dev/null || { rm -rf "$place/node_modules"; cp -pR node_modules "$place"; }
done
# What a folder above says must not count; with this in force there is no popkeep.
echo 'export {};' >"$places/second/intruder.ts"
echo '{ "compilerOptions": { "paths": { "commander": ["./intruder.ts"] } } }' >"$places/second/tsconfig.json"

make --no-print-directory -C "$first" binary >"$places/said" 2>&1 || { cat "$places/said" >&2; exit 1; }
(
  umask 077
  export TZ=Pacific/Kiritimati LC_ALL=C HOME="$places/second" NODE_ENV=development
  make --no-print-directory -C "$second" binary >"$places/said" 2>&1 || { cat "$places/said" >&2; exit 1; }
)

for name in popkeep popkeep.cdx.json; do
  one=$(sha256sum <"$first/dist/$name")
  other=$(sha256sum <"$second/dist/$name")
  if [ "$one" != "$other" ]; then
    echo "dist/$name is not reproducible: $one in one place, $other in the other" >&2
    exit 1
  fi
  echo "$one dist/$name"
done
