"""Evidence bundles: made, looked at, tampered with."""
