#!/usr/bin/env bash
# Compares the program with Intune and changes nothing. Prints what a person should know, and fails if there is anything.
set -euo pipefail

# A warning does not change its exit status, so the report decides.
pulumi preview --stack "$STACK" --refresh --json --non-interactive > preview.json || true
python3 scripts/findings.py preview.json | tee findings.txt
