"""What happens when something dies in the middle; named after the failure."""
