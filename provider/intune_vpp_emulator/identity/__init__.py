"""Sign-in: Microsoft Entra ID, and the endpoints that issue assertions and access tokens to workloads."""
