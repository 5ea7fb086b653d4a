#!/usr/bin/env bash
# Keeps one open issue while the nightly check fails: `issue.sh open` creates or updates it, `issue.sh close` closes it.
set -euo pipefail

run="$GITHUB_SERVER_URL/$GITHUB_REPOSITORY/actions/runs/$GITHUB_RUN_ID"
number=$(gh issue list --label vpp-tokens --state open --limit 1 --json number --jq '.[].number')

if [ "$1" = close ]; then
  [ -z "$number" ] || gh issue close "$number" --comment "The check found no problem: $run"
  exit
fi

[ -s findings.txt ] || echo "error: The check did not finish. The log of this run shows why." > findings.txt
{
  echo "The nightly check found:"
  echo
  sed 's/^/    /' findings.txt # indented, so that GitHub shows it as it is
  echo
  echo "The README of this repository says what to do. The log: $run"
} > issue.md
if [ -n "$number" ]; then
  gh issue edit "$number" --body-file issue.md
else
  gh label create vpp-tokens --force --description "From the nightly check of the VPP tokens"
  gh issue create --title "VPP tokens need attention" --label vpp-tokens --body-file issue.md
fi
