"""Random kills of real processes under load, and what was lost or doubled by them: ./box chaos."""
