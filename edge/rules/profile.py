"""Rule profiles: from and to the mappings that TOML files and documents hold. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from edge.model import (
    Invalid,
    ManualEntryRule,
    Margin,
    Profile,
    RetentionRule,
    SnapshotRule,
    SpotCheckRule,
)
from edge.settings import ConfigError, Settings, Table, duration, duration_text


def profile_from_toml(text: str, source: str) -> Profile:
    """Return the profile that *text* states; raises ConfigError with the line."""
    return _profile(Settings.of_toml(text, source).root, source)


def profile_from_mapping(values: Mapping[str, Any], source: str) -> Profile:
    """Return the profile that *values* states, in the form of ``profile_to_mapping``."""
    return _profile(Settings(dict(values), source).root, source)


def _profile(root: Table, source: str) -> Profile:
    try:
        profile = Profile(
            name=root.text("name"),
            version=root.whole("version", least=1),
            time_zone=root.time_zone("time_zone"),
            authority=root.text("authority", choices=("own", "city_platform")),
            lesson_hour=root.converted("lesson_hour", duration),
            hours_a_segment=root.whole("hours_a_segment", least=1),
            break_ends_segment=root.converted("break_ends_segment", duration),
            check_in=_margin(root, "check_in"),
            check_out=_margin(root, "check_out"),
            minimum_presence=root.converted("minimum_presence", duration),
            manual_entry=_manual_entry(root.table("manual_entry")),
            snapshots=tuple(_snapshot(table) for table in root.tables("snapshot")),
            recording=_margin(root, "recording"),
            pass_percent=root.whole("pass_percent", least=1, most=100),
            shown_days_before=root.whole("shown_days_before"),
            retention=_retention(root.table("retention")),
            spot_check=_spot_check(root.table("spot_check")),
        )
    except Invalid as error:
        raise ConfigError(f"{source}: {error}") from error
    root.finish()
    return profile


def _margin(root: Table, key: str) -> Margin:
    table = root.table(key)
    margin = Margin(table.converted("before", duration), table.converted("after", duration))
    table.finish()
    return margin


def _manual_entry(table: Table) -> ManualEntryRule:
    rule = ManualEntryRule(
        allowed=table.flag("allowed"),
        reasons=table.texts("reasons"),
        review_percent=table.whole("review_percent", most=100),
    )
    table.finish()
    return rule


def _snapshot(table: Table) -> SnapshotRule:
    try:
        rule = SnapshotRule(
            earliest=table.converted("from", duration),
            aim=table.converted("aim", duration),
            latest=table.converted("to", duration),
        )
    except Invalid as error:
        raise table.error("aim", str(error)) from error
    table.finish()
    return rule


def _retention(table: Table) -> RetentionRule:
    """Return the rule; what a profile of an older version does not state is the shipped one's."""
    shipped = RetentionRule()
    rule = RetentionRule(
        snapshot_days=table.whole("snapshot_days", shipped.snapshot_days),
        photo_days=table.whole("photo_days", shipped.photo_days),
        video=table.text("video", shipped.video, choices=("safe", "limit")),
        video_days=table.whole("video_days", shipped.video_days),
        evidence_days=table.whole("evidence_days", shipped.evidence_days),
    )
    table.finish()
    return rule


def _spot_check(table: Table) -> SpotCheckRule:
    """Return the rule; what a profile of an older version does not state is R6's."""
    shipped = SpotCheckRule()
    rule = SpotCheckRule(
        after_start=table.converted("after_start", duration, duration_text(shipped.after_start)),
        before_end=table.converted("before_end", duration, duration_text(shipped.before_end)),
    )
    table.finish()
    return rule


def profile_to_mapping(profile: Profile) -> dict[str, Any]:
    """Return *profile* in the form of its TOML file, for a document."""

    def margin(value: Margin) -> dict[str, str]:
        return {"before": duration_text(value.before), "after": duration_text(value.after)}

    return {
        "name": profile.name,
        "version": profile.version,
        "time_zone": profile.time_zone,
        "authority": profile.authority,
        "lesson_hour": duration_text(profile.lesson_hour),
        "hours_a_segment": profile.hours_a_segment,
        "break_ends_segment": duration_text(profile.break_ends_segment),
        "minimum_presence": duration_text(profile.minimum_presence),
        "pass_percent": profile.pass_percent,
        "shown_days_before": profile.shown_days_before,
        "check_in": margin(profile.check_in),
        "check_out": margin(profile.check_out),
        "recording": margin(profile.recording),
        "manual_entry": {
            "allowed": profile.manual_entry.allowed,
            "reasons": list(profile.manual_entry.reasons),
            "review_percent": profile.manual_entry.review_percent,
        },
        "retention": asdict(profile.retention),
        "spot_check": {
            "after_start": duration_text(profile.spot_check.after_start),
            "before_end": duration_text(profile.spot_check.before_end),
        },
        "snapshot": [
            {
                "from": duration_text(rule.earliest),
                "aim": duration_text(rule.aim),
                "to": duration_text(rule.latest),
            }
            for rule in profile.snapshots
        ],
    }
