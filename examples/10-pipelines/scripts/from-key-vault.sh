#!/usr/bin/env bash
# Token files from Azure Key Vault: the secret vpp-lincoln becomes lincoln.vpptoken.
# KEY_VAULT is the vault's name, and `az` is signed in.
set -euo pipefail

names=$(az keyvault secret list --vault-name "$KEY_VAULT" --query "[?starts_with(name, 'vpp-')].name" --output tsv)
for name in $names; do
  az keyvault secret download --vault-name "$KEY_VAULT" --name "$name" --file "$TOKEN_FILES/${name#vpp-}.vpptoken"
done
