"""Who may say and hear what at the real broker, and what is left when somebody tries."""
