"""Whether a bundle is what its centre and its boxes signed: the whole check. Pure.

Needs the bundle, the centre's public key from elsewhere, and nothing more: no database, no
network, no box. Promises to stop at the first fault and to name it. What is recomputed: every hash,
link, signature and anchor (``chains``); the names of the pictures; and from the events, by the
box's own rules, every figure and every byte of the pages.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from edge import documents
from edge.events import BadBody, LessonOpened
from edge.forms import BadDocument
from edge.model import Instant
from edge.rulebook import parse_profiles
from sync.central.bundle import chains as check
from sync.central.bundle import facts as reading
from sync.central.bundle import figures, form, pages
from sync.central.bundle.chains import Chains, Fault
from sync.central.bundle.facts import Facts
from sync.central.bundle.form import BadForm, Bundle, Manifest
from sync.central.statement import BadStatement, Head, read


@dataclass(frozen=True, slots=True)
class Proven:
    """What an intact bundle proves.

    ``since``: from then on the centre's signature covers all that the pages rest on. ``stamped``:
    what time stamp authorities say. ``witnessed``: chains that a statement from outside confirms.
    ``recounted``: figures and pages were made again; false for those of another version.
    ``unchecked_stamps``: no root certificate was given.
    """

    manifest: Manifest
    figures: figures.Figures
    recounted: bool
    since: Instant
    events: int
    withheld: int
    erased: int
    pictures: int
    absent: int
    stamped: tuple[Instant, ...]
    unchecked_stamps: int
    witnessed: int


Stamped = Callable[[bytes, bytes], Instant]


def verify(
    bundle: Bundle, key: bytes, outside: bytes | None = None, stamped: Stamped | None = None
) -> Proven:
    """Check everything. Raises Fault for the first thing that is wrong.

    *key*: the centre's raw Ed25519 key, from elsewhere. *outside*: a statement that somebody kept
    (``classbox centre witness export``). *stamped* returns when a time stamp (response, content)
    was given and raises ValueError.
    """
    manifest = trusted(bundle, key)
    _files(bundle.names(), manifest)
    chains = [(one, check.checked(one, bundle.read(one.file))) for one in manifest.chains]
    check.check_erasures(chains)
    since = check.check_anchors(manifest, chains, bundle.read(form.ANCHORS))
    try:
        facts = reading.gathered(manifest, chains)
    except (BadBody, BadDocument, TypeError, ValueError, KeyError, AttributeError) as error:
        raise Fault("body_unreadable", str(error)) from error
    _judged_by(bundle, manifest, chains)
    pictures, absent = _media(bundle, manifest, facts)
    counted = _pages(bundle, manifest, facts, chains)
    times, unchecked = _stamps(bundle, manifest, chains, stamped)
    witnessed = 0
    if outside is not None:
        witnessed = _witnessed(outside, "--statement", manifest, chains)
        if not witnessed:
            raise Fault("witness_silent", "--statement")
    for name, digest in manifest.files.items():
        if not name.startswith("media/") and _sha256(bundle.read(name)) != digest:
            raise Fault("file_changed", name)
    everything = [line for _, lines in chains for line in lines]
    return Proven(
        manifest,
        counted,
        manifest.pages == pages.VERSION,
        since,
        len(everything),
        sum(line.absent == form.WITHHELD for line in everything),
        sum(line.absent == form.ERASED for line in everything),
        pictures,
        absent,
        times,
        unchecked,
        witnessed,
    )


def trusted(bundle: Bundle, key: bytes) -> Manifest:
    """Return the manifest, if the centre with *key* signed it. Raises Fault."""
    for name in (form.MANIFEST, form.SIGNATURE):
        if name not in bundle.names():
            raise Fault("file_missing", name)
    content = bundle.read(form.MANIFEST)
    try:
        manifest = form.read(content)
    except BadForm as error:
        # Without a signature that holds, it was damaged; with one, it is another version's.
        whole = form.signature_holds(content, bundle.read(form.SIGNATURE), key)
        raise Fault("other_version" if whole else "manifest_changed", str(error)) from error
    if manifest.key != key:
        raise Fault("other_key", form.key_in_groups(manifest.key))
    if not form.signature_holds(content, bundle.read(form.SIGNATURE), key):
        raise Fault("manifest_changed", form.MANIFEST)
    return manifest


def _files(names: Sequence[str], manifest: Manifest) -> None:
    listed = {*manifest.files, form.MANIFEST, form.SIGNATURE}
    needed = {form.INDEX, form.FIGURES, form.ANCHORS, form.NOTE}
    for name in sorted(needed | listed | {one.file for one in manifest.chains}):
        if name not in names:
            raise Fault("media_missing" if name.startswith("media/") else "file_missing", name)
    for name in names:
        if name not in listed:
            raise Fault("extra_file", name)


def _judged_by(bundle: Bundle, manifest: Manifest, chains: Chains) -> None:
    """Check lessons and rules against what was frozen when the lessons were opened."""
    books: dict[str, bytes] = {}
    for name in bundle.names():
        if name.startswith("documents/"):
            content = bundle.read(name)
            digest = name.removeprefix("documents/").removesuffix(".json")
            if _sha256(content) != digest:
                raise Fault("document_changed", name)
            books[digest] = content
    sittings = {one.lesson.id: one for one in manifest.sittings}
    for stated, lines in chains:
        for line in lines:
            body = check.body_of(line, stated.file)
            if not isinstance(body, LessonOpened) or body.lesson_id not in sittings:
                continue
            sitting = sittings[body.lesson_id]
            place = f"{stated.file}: {line.record.event.seq} {body.lesson_id}"
            try:
                frozen = documents.lesson_from_json(dict(body.lesson))
            except BadDocument as error:
                raise Fault("body_unreadable", f"{place}: {error}") from error
            own = sitting.lesson
            if replace(frozen, state=own.state, reason=own.reason) != own:
                raise Fault("lesson_changed", place)
            if not _rules_hold(sitting, body, books):
                raise Fault("rules_changed", place)


def _rules_hold(sitting: form.Sitting, opened: LessonOpened, books: Mapping[str, bytes]) -> bool:
    book = books.get(opened.documents.get(documents.PROFILES, ""))
    if book is None:
        rules = (sitting.profile.name, sitting.profile.version)
        return rules == (opened.profile, opened.profile_version)
    try:
        holding = parse_profiles(json.loads(book)).holding(opened.profile, sitting.lesson.start)
    except (ValueError, KeyError, TypeError, BadDocument):
        return False
    # What the book does not name was judged by the rules that came with the software.
    return holding == sitting.profile or (
        holding is None and sitting.profile.version == opened.profile_version
    )


def _media(bundle: Bundle, manifest: Manifest, facts: Facts) -> tuple[int, int]:
    """Check every picture; return how many are there and how many are not."""
    named = reading.named_media(facts)
    there: dict[str, str] = {}
    for name in bundle.names():
        if name.startswith("media/"):
            sha256 = name.removeprefix("media/").partition(".")[0]
            if sha256 not in named:
                raise Fault("media_unnamed", name)
            content = bundle.read(name)
            if _sha256(content) != sha256 or manifest.files[name] != sha256:
                raise Fault("media_swapped", name)
            if not name.endswith(f".{form.suffix_of(content)}"):
                raise Fault("media_swapped", name)
            there[sha256] = name
    for sha256 in named:
        if (manifest.media.get(sha256) == form.HERE) != (sha256 in there):
            raise Fault("media_missing", f"media/{sha256}")
    return len(there), len(named) - len(there)


def _pages(
    bundle: Bundle,
    manifest: Manifest,
    facts: Facts,
    chains: Chains,
) -> figures.Figures:
    """Count again and make the pages again; return the figures."""
    heads = [lines[-1].record.event.hash for _, lines in chains]
    counted = figures.counted(manifest, facts, heads)
    if manifest.pages != pages.VERSION:
        return counted
    _same(form.FIGURES, figures.to_json(counted), bundle.read(form.FIGURES), "figures_changed")
    page = pages.index(manifest, facts, counted)
    _same(form.INDEX, page, bundle.read(form.INDEX), "page_changed")
    _same(form.NOTE, pages.note(), bundle.read(form.NOTE), "page_changed")
    return counted


def _same(name: str, wanted: bytes, there: bytes, code: str) -> None:
    """Raise Fault with the first line that differs, and what it should say."""
    if wanted == there:
        return
    if name == form.FIGURES:
        raise Fault(code, f"{name}: {_first_key(wanted, there)}")
    ours, theirs = wanted.splitlines(), there.splitlines()
    longest = max(len(ours), len(theirs))
    for number in range(longest):
        mine = ours[number] if number < len(ours) else b""
        other = theirs[number] if number < len(theirs) else b""
        if mine != other:
            shown = [one.decode("utf-8", "replace").strip()[:120] for one in (other, mine)]
            raise Fault(code, f"{name}, {number + 1}: {shown[0]!r} ≠ {shown[1]!r}")
    raise Fault(code, name)


def _first_key(wanted: bytes, there: bytes) -> str:
    ours = json.loads(wanted)
    try:
        theirs = dict(json.loads(there))
    except (ValueError, TypeError):
        return "not JSON"
    for key in sorted(ours.keys() | theirs.keys()):
        if ours.get(key) != theirs.get(key):
            return f"{key}: {str(theirs.get(key))[:60]} ≠ {str(ours.get(key))[:60]}"
    return "another form"


def _stamps(
    bundle: Bundle,
    manifest: Manifest,
    chains: Chains,
    stamped: Stamped | None,
) -> tuple[tuple[Instant, ...], int]:
    """Check the statements in the bundle and their stamps; return times, and how many unchecked."""
    times: list[Instant] = []
    unchecked = 0
    for name in bundle.names():
        if not name.startswith("stamps/") or not name.endswith(".txt"):
            continue
        content = bundle.read(name)
        _witnessed(content, name, manifest, chains)
        response = name.removesuffix(".txt") + ".tsr"
        if response not in bundle.names():
            raise Fault("file_missing", response)
        if stamped is None:
            unchecked += 1
            continue
        try:
            times.append(stamped(bundle.read(response), content))
        except ValueError as error:
            raise Fault("stamp_bad", f"{response}: {error}") from error
    return tuple(times), unchecked


def _witnessed(
    content: bytes,
    name: str,
    manifest: Manifest,
    chains: Chains,
) -> int:
    """Hold a statement against the chains; return how many of its heads lie in this bundle."""
    try:
        stated = read(content)
    except BadStatement as error:
        raise Fault("statement_changed", f"{name}: {error}") from error
    if stated.key != manifest.key:
        raise Fault("statement_changed", f"{name}: {form.key_in_groups(stated.key)}")
    return sum(_confirmed(head, name, chains) for head in stated.heads)


def _confirmed(head: Head, name: str, chains: Chains) -> bool:
    found = False
    for stated, lines in chains:
        held = check.hash_at(stated, lines, head.ledger, head.seq)
        if held is not None and held != head.hash:
            raise Fault("witness_disagrees", f"{name}: {head.box} {head.ledger} {head.seq}")
        found = found or held is not None
    return found


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
