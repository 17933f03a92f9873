"""The visual language that kiosk and console share."""
