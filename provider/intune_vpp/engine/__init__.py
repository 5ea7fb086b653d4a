"""What both Pulumi doors share of the engine: its log, its assets, its unknown values. No decisions."""
