"""The way to the centre: the wire, the delivery, the link."""
