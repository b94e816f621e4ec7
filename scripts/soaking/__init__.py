"""Parts of the soak (`scripts/soak.py`): the load, the floods, the clock, the disk, the collector, the accounts."""
