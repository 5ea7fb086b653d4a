#!/usr/bin/env bash
# Runs a command while the token files are in ./token-files, and removes them however it ends:
#
#   scripts/with-token-files.sh scripts/from-key-vault.sh pulumi preview --stack prod
#
# The first argument is the script that writes the files into the folder $TOKEN_FILES.
set -euo pipefail
umask 077

export TOKEN_FILES="$PWD/token-files"
trap 'rm -rf "$TOKEN_FILES"' EXIT
rm -rf "$TOKEN_FILES"
mkdir "$TOKEN_FILES"

"$1"
shift
unset "${!VPP_TOKEN_@}" # the command gets files, not texts
"$@"
