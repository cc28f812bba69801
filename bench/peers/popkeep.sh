#!/bin/bash
. "$(dirname "$0")/popkeep-common.sh"
