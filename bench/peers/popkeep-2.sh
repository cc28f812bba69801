#!/bin/bash
SETTINGS="workers = 2
${SETTINGS:-}"
. "$(dirname "$0")/popkeep-common.sh"
