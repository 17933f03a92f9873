"""The box's words, rules and memory: what every service of the box shares."""
