"""Whatever looks through a lens: the recorder, the greeter and what they stand on."""
