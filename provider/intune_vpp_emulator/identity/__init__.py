"""Who may sign in to the emulated tenants, and how: Microsoft Entra ID and the endpoints that vouch for workloads."""
