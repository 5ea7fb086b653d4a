"""What both Pulumi doors share: the engine's log, assets and unknown values, and its words for cures. No decisions."""
