"""Rule profiles: from and to the mappings that TOML files and documents hold. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from edge.policies import (
    SHIPPED_WAYS,
    Basis,
    ClassRule,
    Handover,
    ManualEntryRule,
    Margin,
    Pairing,
    Policy,
    Profile,
    RetentionRule,
    SnapshotRule,
    SpotCheckRule,
    Way,
)
from edge.settings import ConfigError, Settings, Table, duration, duration_text
from edge.units import Invalid


def profile_from_toml(text: str, source: str) -> Profile:
    """Return the profile that *text* states; raises ConfigError with the line."""
    return _profile(Settings.of_toml(text, source).root, source)


def profile_from_mapping(values: Mapping[str, Any], source: str) -> Profile:
    """Return the profile that *values* states, in the form of ``profile_to_mapping``."""
    return _profile(Settings(dict(values), source).root, source)


def _profile(root: Table, source: str) -> Profile:
    pairing = Pairing(root.text("pairing", "segment", choices=tuple(Pairing)))
    try:
        profile = Profile(
            name=root.text("name"),
            version=root.whole("version", least=1),
            time_zone=root.time_zone("time_zone"),
            authority=root.text("authority", choices=("own", "city_platform")),
            lesson_hour=root.converted("lesson_hour", duration),
            hours_a_segment=root.whole("hours_a_segment", least=1),
            break_ends_segment=root.converted("break_ends_segment", duration),
            check_in=_window(root, "check_in", pairing),
            check_out=_window(root, "check_out", pairing),
            minimum_presence=root.converted("minimum_presence", duration),
            manual_entry=_manual_entry(root.table("manual_entry")),
            snapshots=tuple(_snapshot(table) for table in root.tables("snapshot")),
            recording=_margin(root, "recording"),
            pass_percent=root.whole("pass_percent", least=1, most=100),
            shown_days_before=root.whole("shown_days_before"),
            retention=_retention(root.table("retention")),
            spot_check=_spot_check(root.table("spot_check")),
            pairing=pairing,
            basis=Basis(root.text("basis", "schedule", choices=tuple(Basis))),
            handover=Handover(root.text("handover", "two_scans", choices=tuple(Handover))),
            ways=_ways(root.table("ways")),
            scans_a_day=root.whole("scans_a_day", 0),
            qr_seconds=root.whole("qr_seconds", 0),
            classes=_classes(root.table("class")),
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


def _window(root: Table, key: str, pairing: Pairing) -> Margin:
    """Return a window; a profile without windows must not state what would never be used."""
    if pairing is not Pairing.DAY:
        return _margin(root, key)
    if key in root:
        raise root.error(
            key,
            'pairing = "day" has no windows: the first and the last scan of the day count. '
            f"Leave [{key}] out.",
        )
    return Margin(0, 0)


def _ways(table: Table) -> dict[Way, Policy]:
    """Return what each way of being present is worth; what is not stated is the shipped policy."""
    ways = {
        way: Policy(table.text(way, SHIPPED_WAYS[way], choices=tuple(Policy)))
        for way in SHIPPED_WAYS
    }
    table.finish()
    return ways


def _classes(table: Table) -> ClassRule:
    shipped = ClassRule()
    rule = ClassRule(
        size=table.whole("size", shipped.size),
        trainees_a_teacher=table.whole("trainees_a_teacher", shipped.trainees_a_teacher),
        roster_freeze=table.text(
            "roster_freeze", shipped.roster_freeze, choices=("none", "on_publish")
        ),
        exports_a_day=table.whole("exports_a_day", shipped.exports_a_day),
        id_types=table.texts("id_types", shipped.id_types),
        masking=table.text("masking", shipped.masking, choices=("first_six",)),
        correction_days=table.whole("correction_days", shipped.correction_days),
    )
    table.finish()
    return rule


def _manual_entry(table: Table) -> ManualEntryRule:
    rule = ManualEntryRule(
        allowed=table.flag("allowed"),
        reasons=table.texts("reasons"),
        review_percent=table.whole("review_percent", most=100),
        review_times=table.whole("review_times", 3, least=1),
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

    windows = {"check_in": margin(profile.check_in), "check_out": margin(profile.check_out)}
    return {
        **({} if profile.pairing is Pairing.DAY else windows),
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
        "pairing": str(profile.pairing),
        "basis": str(profile.basis),
        "handover": str(profile.handover),
        "ways": {str(way): str(policy) for way, policy in profile.ways.items()},
        "scans_a_day": profile.scans_a_day,
        "qr_seconds": profile.qr_seconds,
        "class": {**asdict(profile.classes), "id_types": list(profile.classes.id_types)},
        "recording": margin(profile.recording),
        "manual_entry": {
            "allowed": profile.manual_entry.allowed,
            "reasons": list(profile.manual_entry.reasons),
            "review_percent": profile.manual_entry.review_percent,
            "review_times": profile.manual_entry.review_times,
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
