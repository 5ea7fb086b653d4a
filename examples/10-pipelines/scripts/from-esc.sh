#!/usr/bin/env bash
# Token files from Pulumi ESC: the environment's `files:` have the names VPP_FILE_LINCOLN, which becomes lincoln.vpptoken.
#
#   pulumi env run contoso/vpp-tokens/prod -- scripts/with-token-files.sh scripts/from-esc.sh pulumi preview --stack prod
set -euo pipefail

for variable in ${!VPP_FILE_@}; do
  name=${variable#VPP_FILE_}
  cp "${!variable}" "$TOKEN_FILES/${name,,}.vpptoken"
done
