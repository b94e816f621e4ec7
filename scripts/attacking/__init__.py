"""Parts of the attacks on a live collector."""
