#!/usr/bin/env bash
# Token files from secrets of the pipeline, which the step passes as variables:
# VPP_TOKEN_LINCOLN becomes lincoln.vpptoken.
set -euo pipefail

for variable in ${!VPP_TOKEN_@}; do
  name=${variable#VPP_TOKEN_}
  printf '%s' "${!variable}" > "$TOKEN_FILES/${name,,}.vpptoken"
done
