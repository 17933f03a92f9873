"""Units, templates and the installer: what makes a machine a box or a centre."""
