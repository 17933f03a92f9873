"""The rule profiles that come with the software, for box and centre alike."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources

from edge.model import Profile
from edge.rules.profile import profile_from_toml


@cache
def shipped_profiles() -> Mapping[str, Profile]:
    """Return all of them by name."""
    folder = resources.files("edge.rules.profiles")
    found = [
        profile_from_toml(file.read_text("utf-8"), file.name)
        for file in folder.iterdir()
        if file.name.endswith(".toml")
    ]
    return {profile.name: profile for profile in found}


def shipped_profile(name: str) -> Profile:
    """Return the rule profile of that name that comes with the software, else ``default``."""
    shipped = shipped_profiles()
    return shipped.get(name) or shipped["default"]
