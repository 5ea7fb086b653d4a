"""Signs in to Entra: one file for each method, and `select`, which chooses one. `msal` is imported nowhere else."""
