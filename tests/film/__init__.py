"""A lesson's film in the hands of its viewers, at the touch screen and at the console."""
