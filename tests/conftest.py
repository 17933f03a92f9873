"""What holds for all tests: properties are about behaviour, never about how long it took."""

from hypothesis import settings

# Other work on the machine must not fail a property: no deadline. What fails is printed so that
# it can be run again.
settings.register_profile("house", deadline=None, print_blob=True)
settings.load_profile("house")
