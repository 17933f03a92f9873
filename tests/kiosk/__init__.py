"""The touch screen, held to its promises."""
