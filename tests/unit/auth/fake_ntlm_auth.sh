#!/bin/sh
# Speaks the protocol of ntlm_auth's squid-2.5-ntlmssp, and says or does what the messages ask for in words.
# A challenge is the process's id. Usage: fake_ntlm_auth.sh FILE --helper-protocol=squid-2.5-ntlmssp
# Adds a line to FILE at each start; does not start at all when FILE ends with ".mute".
set -eu

echo started >>"$1"
[ "$2" = --helper-protocol=squid-2.5-ntlmssp ] || exit 2
case $1 in *.mute) exit 1 ;; esac

while read -r word message; do
  wish=$(printf %s "$message" | base64 -d)
  case $word/$wish in
  */die) exit 1 ;;
  */hang) ;;
  */flood) head -c 100000 /dev/zero | tr '\0' x ;;
  */twice) printf 'NA NT_STATUS_LOGON_FAILURE\nAF EXAMPLE\\alice\n' ;;
  */slow) sleep 0.3 && printf 'AF EXAMPLE\\slow\n' ;;
  YR/garbage) echo "NA NT_STATUS_INVALID_PARAMETER" ;;
  YR/broken) echo "BH no domain" ;;
  YR/*) echo "TT $(printf %s $$ | base64)" ;;
  KK/right) printf 'AF EXAMPLE\\alice\n' ;;
  KK/outage) echo "NA NT_STATUS_NO_LOGON_SERVERS" ;;
  KK/broken) echo "BH NT_STATUS_UNSUCCESSFUL NT_STATUS_UNSUCCESSFUL" ;;
  KK/*) echo "NA NT_STATUS_LOGON_FAILURE" ;;
  esac
done
