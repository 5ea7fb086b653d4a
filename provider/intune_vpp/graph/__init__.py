"""The only room that talks to Microsoft: `httpx` is imported nowhere else, `msal` only in `credentials`."""
