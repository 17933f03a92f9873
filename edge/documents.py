"""The documents that the centre sends down: timetable, roster, profiles. Pure.

Owns their JSON form. A document is taken whole or refused whole; an error names the place inside
it, so that the person who made the document can mend it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

from edge.events import canonical
from edge.model import (
    Instant,
    Instructor,
    Invalid,
    Lesson,
    LessonHour,
    LessonState,
    Profile,
    Trainee,
    TrainingClass,
)
from edge.rules.profile import profile_from_mapping, profile_to_mapping
from edge.settings import ConfigError

TIMETABLE = "timetable"
ROSTER = "roster"
PROFILES = "profiles"
KINDS = (PROFILES, ROSTER, TIMETABLE)

T = TypeVar("T")


class BadDocument(ValueError):
    """A document cannot be used; the message names the place and the remedy."""


@dataclass(frozen=True, slots=True)
class Roster:
    """The classes that meet in this room and the filed instructors who teach them."""

    classes: tuple[TrainingClass, ...]
    instructors: tuple[Instructor, ...]


def parse(kind: str, content: bytes) -> tuple[Lesson, ...] | Roster | dict[str, Profile]:
    """Return what the document *content* of *kind* states; raises BadDocument."""
    try:
        values = json.loads(content)
    except ValueError as error:
        raise BadDocument(f"{kind}: not JSON ({error}). Send the document again.") from error
    if not isinstance(values, dict):
        raise BadDocument(f"{kind}: must be a JSON object")
    readers: dict[str, Callable[[Mapping[str, Any]], Any]] = {
        TIMETABLE: parse_timetable,
        ROSTER: parse_roster,
        PROFILES: parse_profiles,
    }
    if kind not in readers:
        raise BadDocument(f"{kind}: not a kind of document. Known: {', '.join(KINDS)}.")
    result: tuple[Lesson, ...] | Roster | dict[str, Profile] = readers[kind](values)
    return result


def parse_timetable(values: Mapping[str, Any]) -> tuple[Lesson, ...]:
    """Return the lessons of a timetable in the order of their start."""
    lessons = [
        lesson_from_json(entry, f"lessons[{number}]")
        for number, entry in enumerate(_list(values, "lessons", ""))
    ]
    _unique([lesson.id for lesson in lessons], "lessons")
    return tuple(sorted(lessons, key=lambda lesson: (lesson.start, lesson.id)))


def timetable_to_json(lessons: tuple[Lesson, ...]) -> bytes:
    """Return the document that ``parse_timetable`` reads."""
    return canonical({"lessons": [lesson_to_json(lesson) for lesson in lessons]})


def parse_roster(values: Mapping[str, Any]) -> Roster:
    """Return the classes and instructors of a roster document."""
    classes = tuple(
        _class(entry, f"classes[{number}]")
        for number, entry in enumerate(_list(values, "classes", ""))
    )
    instructors = tuple(
        _instructor(entry, f"instructors[{number}]")
        for number, entry in enumerate(_list(values, "instructors", ""))
    )
    _unique([entry.id for entry in classes], "classes")
    _unique([entry.id for entry in instructors], "instructors")
    return Roster(classes, instructors)


def roster_to_json(roster: Roster) -> bytes:
    """Return the document that ``parse_roster`` reads."""
    return canonical(
        {
            "classes": [
                {
                    "id": entry.id,
                    "name": entry.name,
                    "period_id": entry.period_id,
                    "approved_by": entry.approved_by,
                    "received_at": time_to_json(entry.received_at),
                    "trainees": [
                        {"id": trainee.id, "number": trainee.number, "name": trainee.name}
                        for trainee in entry.trainees
                    ],
                }
                for entry in roster.classes
            ],
            "instructors": [
                {"id": entry.id, "name": entry.name, "pin_hash": entry.pin_hash}
                for entry in roster.instructors
            ],
        }
    )


def roster_without(content: bytes, person_id: str) -> bytes | None:
    """Return a roster document without that person, None when they are not on it."""
    if person_id not in people_on(content):
        return None
    roster = json.loads(content)
    for entry in roster["classes"]:
        entry["trainees"] = [one for one in entry["trainees"] if one["id"] != person_id]
    roster["instructors"] = [one for one in roster["instructors"] if one["id"] != person_id]
    return canonical(roster)


def people_on(content: bytes) -> set[str]:
    """Return the ids of everybody on a roster document."""
    roster = parse_roster(json.loads(content))
    trainees = {trainee.id for entry in roster.classes for trainee in entry.trainees}
    return trainees | {entry.id for entry in roster.instructors}


def parse_profiles(values: Mapping[str, Any]) -> dict[str, Profile]:
    """Return the rule profiles by name."""
    profiles: dict[str, Profile] = {}
    for number, entry in enumerate(_list(values, "profiles", "")):
        place = f"profiles[{number}]"
        if not isinstance(entry, dict):
            raise BadDocument(f"{place}: must be an object")
        try:
            profile = profile_from_mapping(entry, place)
        except ConfigError as error:
            raise BadDocument(str(error)) from error
        profiles[profile.name] = profile
    return profiles


def profiles_to_json(profiles: Mapping[str, Profile]) -> bytes:
    """Return the document that ``parse_profiles`` reads."""
    return canonical(
        {"profiles": [profile_to_mapping(profiles[name]) for name in sorted(profiles)]}
    )


def lesson_from_json(entry: Any, place: str = "lesson") -> Lesson:
    """Return one lesson; times are ISO 8601 with their offset from UTC."""
    hours = tuple(
        _built(
            LessonHour,
            f"{place}.hours[{number}]",
            start=_time(hour, "start", f"{place}.hours[{number}]"),
            end=_time(hour, "end", f"{place}.hours[{number}]"),
        )
        for number, hour in enumerate(_list(entry, "hours", place))
    )
    state = _text(entry, "state", place, LessonState.PLANNED)
    if state not in set(LessonState):
        raise BadDocument(f"{place}.state: {state!r} is not a state of a lesson")
    return _built(
        Lesson,
        place,
        id=_text(entry, "id", place),
        class_id=_text(entry, "class_id", place),
        class_name=_text(entry, "class_name", place),
        room=_text(entry, "room", place),
        instructors=tuple(str(value) for value in _list(entry, "instructors", place)),
        hours=hours,
        profile=_text(entry, "profile", place, "default"),
        state=LessonState(state),
        reason=_text(entry, "reason", place, ""),
    )


def lesson_to_json(lesson: Lesson) -> dict[str, Any]:
    """Return the JSON form that ``lesson_from_json`` reads."""
    return {
        "id": lesson.id,
        "class_id": lesson.class_id,
        "class_name": lesson.class_name,
        "room": lesson.room,
        "instructors": list(lesson.instructors),
        "hours": [
            {"start": time_to_json(hour.start), "end": time_to_json(hour.end)}
            for hour in lesson.hours
        ],
        "profile": lesson.profile,
        "state": str(lesson.state),
        "reason": lesson.reason,
    }


def time_to_json(instant: Instant) -> str:
    """Return *instant* as ISO 8601 in UTC."""
    return datetime.fromtimestamp(instant / 1_000_000, tz=UTC).isoformat()


def time_from_json(text: str) -> Instant:
    """Return the instant of an ISO 8601 time; raises ValueError when it names no UTC offset."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} lacks its offset. Write for example 2026-11-23T09:00:00+08:00.")
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def _class(entry: Any, place: str) -> TrainingClass:
    trainees = tuple(
        _built(
            Trainee,
            f"{place}.trainees[{number}]",
            id=_text(trainee, "id", f"{place}.trainees[{number}]"),
            number=_text(trainee, "number", f"{place}.trainees[{number}]"),
            name=_text(trainee, "name", f"{place}.trainees[{number}]"),
        )
        for number, trainee in enumerate(_list(entry, "trainees", place))
    )
    return _built(
        TrainingClass,
        place,
        id=_text(entry, "id", place),
        name=_text(entry, "name", place),
        period_id=_text(entry, "period_id", place, ""),
        approved_by=_text(entry, "approved_by", place, ""),
        received_at=_time(entry, "received_at", place),
        trainees=trainees,
    )


def _instructor(entry: Any, place: str) -> Instructor:
    return _built(
        Instructor,
        place,
        id=_text(entry, "id", place),
        name=_text(entry, "name", place),
        pin_hash=_text(entry, "pin_hash", place),
    )


def _built(build: Callable[..., T], place: str, **values: Any) -> T:
    try:
        return build(**values)
    except Invalid as error:
        raise BadDocument(f"{place}: {error}") from error


def _field(entry: Any, key: str, place: str) -> Any:
    if not isinstance(entry, dict):
        raise BadDocument(f"{place or 'document'}: must be an object")
    return entry.get(key)


def _where(place: str, key: str) -> str:
    return f"{place}.{key}" if place else key


def _list(entry: Any, key: str, place: str) -> list[Any]:
    value = _field(entry, key, place)
    if not isinstance(value, list):
        raise BadDocument(f"{_where(place, key)}: must be a list")
    return value


def _text(entry: Any, key: str, place: str, default: str | None = None) -> str:
    value = _field(entry, key, place)
    if value is None and default is not None:
        return default
    if not isinstance(value, str):
        raise BadDocument(f"{_where(place, key)}: must be text")
    return value


def _time(entry: Any, key: str, place: str) -> Instant:
    try:
        return time_from_json(_text(entry, key, place))
    except ValueError as error:
        raise BadDocument(f"{_where(place, key)}: {error}") from error


def _unique(ids: list[str], place: str) -> None:
    for number, one in enumerate(ids):
        if one in ids[:number]:
            raise BadDocument(f"{place}[{number}].id: {one!r} stands there twice")
