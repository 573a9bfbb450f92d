"""What all tests share."""

from hypothesis import settings

# A test says whether something is right, never how fast this machine is today.
settings.register_profile("floec", deadline=None)
settings.load_profile("floec")
