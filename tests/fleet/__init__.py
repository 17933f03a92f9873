"""The centre under many boxes: its processes real, the boxes light but true to the protocol."""
