"""What a check says of changed bundles: the exact first fault, whoever has what key."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.events import canonical
from edge.model import DAY, MINUTE, LessonHour
from sync.central.bundle import explain, form
from sync.central.statement import Head, Statement, write
from tests.bundle.stage import School, picture, taught
from tests.bundle.tampering import CHAIN, Parts, anchored, check, fault_of

WHERE = f"{CHAIN} (room-203)"
Tamper = Callable[[Parts, School], None]


def _box_key(school: School) -> Ed25519PrivateKey:
    name = school.chain.uuid
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


def _earlier(body: str) -> str:
    return body.replace('"way":"face"', '"way":"manual"')


# What anybody can do, without a key.


def _event_changed(parts: Parts, _: School) -> None:
    seq = parts.seq_of("scan.made")
    parts.change(seq, at=parts.events()[seq - 1]["at"] - 20 * MINUTE)


def _body_changed(parts: Parts, _: School) -> None:
    seq = parts.seq_of("scan.made")
    parts.change(seq, body=_earlier(parts.events()[seq - 1]["body"]))


def _removed(parts: Parts, _: School) -> None:
    seq = parts.seq_of("snapshot.missed")
    parts.put([one for one in parts.events() if one["seq"] != seq])


def _cut_off(parts: Parts, _: School) -> None:
    parts.put(parts.events()[:-3])


def _reordered(parts: Parts, _: School) -> None:
    events = parts.events()
    seq = parts.seq_of("scan.made")
    events[seq - 1], events[seq] = events[seq], events[seq - 1]
    parts.put(events)


def _added(parts: Parts, _: School) -> None:
    events = parts.events()
    parts.put([*events, events[-1] | {"seq": events[-1]["seq"] + 1}])


def _resigned(parts: Parts, _: School) -> None:
    parts.rechained(parts.seq_of("scan.made"), _earlier, Ed25519PrivateKey.generate())


def _saltless(parts: Parts, _: School) -> None:
    events = parts.events()
    del events[parts.seq_of("scan.made") - 1]["salt"]
    parts.put(events)


def _feigned_erasure(parts: Parts, _: School) -> None:
    events = parts.events()
    seq = parts.seq_of("snapshot.missed")
    del events[seq - 1]["salt"], events[seq - 1]["body"]
    events[seq - 1]["absent"] = "erased"
    parts.put(events)


def _swapped(parts: Parts, _: School) -> None:
    parts[parts.named("media/")] = picture("somebody else")


def _no_picture(parts: Parts, _: School) -> None:
    parts.drop(parts.named("media/"))


def _no_anchor(parts: Parts, _: School) -> None:
    parts.put_anchors(parts.anchors()[:-1])


def _changed_anchor(parts: Parts, _: School) -> None:
    *before, last = parts.anchors()
    parts.put_anchors([*before, replace(last, at=last.at - DAY)])


def _page(parts: Parts, _: School) -> None:
    page = parts[form.INDEX].decode()
    parts[form.INDEX] = page.replace('<b class="valid">33</b>', '<b class="valid">48</b>').encode()


def _figure(parts: Parts, _: School) -> None:
    parts[form.FIGURES] = parts[form.FIGURES].replace(b'"passing":9', b'"passing":12')


def _note(parts: Parts, _: School) -> None:
    parts[form.NOTE] += b"trust 0000"


def _claim(parts: Parts, _: School) -> None:
    parts[form.MANIFEST] = parts[form.MANIFEST].replace(b'"filed_hours":3', b'"filed_hours":2')


def _no_manifest(parts: Parts, _: School) -> None:
    parts.drop(form.MANIFEST)


def _book(parts: Parts, _: School) -> None:
    name = parts.named("documents/")
    parts[name] = parts[name].replace(b'"pass_percent":80', b'"pass_percent":40')


def _extra(parts: Parts, _: School) -> None:
    parts.add(f"media/{hashlib.sha256(b'more').hexdigest()}.bin", b"more")


# What a forger with the key of the box, or of the centre, can do: the other one is needed too.


def _box_rewrites(parts: Parts, school: School) -> None:
    parts.rechained(parts.seq_of("scan.made"), _earlier, _box_key(school))


def _centre_rewrites(parts: Parts, school: School) -> None:
    _body_changed(parts, school)
    parts.signed(school.centre.signer)


def _centre_resigns(parts: Parts, school: School) -> None:
    _resigned(parts, school)
    parts.signed(school.centre.signer)


def _centre_drops(parts: Parts, school: School) -> None:
    _removed(parts, school)
    parts.signed(school.centre.signer)


def _centre_truncates(parts: Parts, school: School) -> None:
    """Without its last event, and the manifest says so: no anchor ends there."""
    _cut_off(parts, school)
    stated = parts.manifest().chains[0]
    last = stated.last - 3
    parts.put_anchors([one for one in parts.anchors() if one.seq <= last])
    parts.signed(school.centre.signer, chains=(replace(stated, last=last),))


def _centre_feigns_erasure(parts: Parts, school: School) -> None:
    _feigned_erasure(parts, school)
    parts.signed(school.centre.signer)


def _centre_swaps(parts: Parts, school: School) -> None:
    _swapped(parts, school)
    parts.signed(school.centre.signer)


def _centre_adds_picture(parts: Parts, school: School) -> None:
    _extra(parts, school)
    parts.signed(school.centre.signer)


def _centre_adds_file(parts: Parts, school: School) -> None:
    parts.add("stamps/1.txt", b"")
    parts.signed(school.centre.signer)


def _centre_counts(parts: Parts, school: School) -> None:
    _figure(parts, school)
    parts.signed(school.centre.signer)


def _centre_writes(parts: Parts, school: School) -> None:
    _page(parts, school)
    parts.signed(school.centre.signer)


def _centre_withholds(parts: Parts, school: School) -> None:
    events = parts.events()
    seq = parts.seq_of("snapshot.missed")
    del events[seq - 1]["salt"], events[seq - 1]["body"]
    events[seq - 1]["absent"] = "withheld"
    parts.put(events)
    parts.signed(school.centre.signer)


def _foreign_anchor(parts: Parts, school: School) -> None:
    *before, last = parts.anchors()
    other = anchored(last, school.centre.signer, ledger="ledger-of-another-box")
    parts.put_anchors([*before, other])
    parts.signed(school.centre.signer)


def _false_anchor(parts: Parts, school: School) -> None:
    *before, last = parts.anchors()
    parts.put_anchors([*before, anchored(last, school.centre.signer, hash=bytes(32))])
    parts.signed(school.centre.signer)


def _backdated(parts: Parts, school: School) -> None:
    *before, last = parts.anchors()
    parts.put_anchors([*before, anchored(last, school.centre.signer, at=last.at - 2 * DAY)])
    parts.signed(school.centre.signer)


def _postdated(parts: Parts, school: School) -> None:
    *before, last = parts.anchors()
    parts.put_anchors([*before, anchored(last, school.centre.signer, at=last.at + 2 * DAY)])
    parts.signed(school.centre.signer)


def _milder_rules(parts: Parts, school: School) -> None:
    first, *rest = parts.manifest().sittings
    milder = replace(first.profile, pass_percent=40)
    parts.signed(school.centre.signer, sittings=(replace(first, profile=milder), *rest))


def _longer_lesson(parts: Parts, school: School) -> None:
    first, *rest = parts.manifest().sittings
    *before, last = first.lesson.hours
    lesson = replace(first.lesson, hours=(*before, LessonHour(last.start, last.end + MINUTE)))
    parts.signed(school.centre.signer, sittings=(replace(first, lesson=lesson), *rest))


def _other_box_key(parts: Parts, school: School) -> None:
    stated = parts.manifest().chains[0]
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    parts.signed(school.centre.signer, chains=(replace(stated, key=other),))


def _other_ledger(parts: Parts, school: School) -> None:
    stated = parts.manifest().chains[0]
    parts.signed(school.centre.signer, chains=(replace(stated, lineage=(("ledger-9", 0),)),))


CASES: list[tuple[Tamper, str, str]] = [
    (_event_changed, "event_changed", f"{WHERE}: 3 scan.made"),
    (_body_changed, "body_changed", f"{WHERE}: 3 scan.made"),
    (_removed, "event_removed", f"{WHERE}: {{missed}}"),
    (_cut_off, "event_removed", f"{WHERE}: {{third last}}"),
    (_reordered, "event_reordered", f"{WHERE}: 3"),
    (_added, "event_added", f"{WHERE}: {{beyond}}"),
    (_resigned, "event_resigned", f"{WHERE}: 3 scan.made"),
    (_saltless, "body_without_salt", f"{WHERE}: line 3: event 3"),
    (_feigned_erasure, "erasure_unfounded", f"{WHERE}: {{missed}} snapshot.missed"),
    (_swapped, "media_swapped", "media/"),
    (_no_picture, "media_missing", "media/"),
    (_no_anchor, "anchor_missing", f"{WHERE}: {{last}}"),
    (_changed_anchor, "anchor_changed", "ledger-1 {last}"),
    (_page, "page_changed", f"{form.INDEX}, "),
    (_figure, "figures_changed", f"{form.FIGURES}: passing: 12 ≠ 9"),
    (_note, "page_changed", form.NOTE),
    (_claim, "manifest_changed", form.MANIFEST),
    (_no_manifest, "file_missing", form.MANIFEST),
    (_book, "document_changed", "documents/"),
    (_extra, "extra_file", "media/"),
    (_box_rewrites, "anchor_disagrees", "ledger-1 {first anchor}"),
    (_centre_rewrites, "body_changed", f"{WHERE}: 3 scan.made"),
    (_centre_resigns, "event_resigned", f"{WHERE}: 3 scan.made"),
    (_centre_drops, "event_removed", f"{WHERE}: {{missed}}"),
    (_centre_truncates, "anchor_missing", f"{WHERE}: {{fourth last}}"),
    (_centre_feigns_erasure, "erasure_unfounded", f"{WHERE}: {{missed}} snapshot.missed"),
    (_centre_swaps, "media_swapped", "media/"),
    (_centre_adds_picture, "media_unnamed", "media/"),
    (_centre_adds_file, "statement_changed", "stamps/1.txt"),
    (_centre_counts, "figures_changed", f"{form.FIGURES}: passing: 12 ≠ 9"),
    (_centre_writes, "page_changed", form.INDEX),
    (_centre_withholds, "figures_changed", f"{form.FIGURES}: exceptions"),
    (_foreign_anchor, "anchor_foreign", "ledger-of-another-box {last}"),
    (_false_anchor, "anchor_disagrees", "ledger-1 {last}"),
    (_backdated, "clock_forged", f"{WHERE}: {{last}}"),
    (_postdated, "clock_forged", f"{WHERE}: {{last}}"),
    (_milder_rules, "rules_changed", f"{CHAIN}: 2 lesson-1"),
    (_longer_lesson, "lesson_changed", f"{CHAIN}: 2 lesson-1"),
    (_other_box_key, "event_resigned", f"{WHERE}: 1 ledger.born"),
    (_other_ledger, "chain_foreign", WHERE),
]


@pytest.mark.parametrize(
    ("tamper", "code", "place"), CASES, ids=[case[0].__name__.strip("_") for case in CASES]
)
def test_the_first_fault_is_named(
    school: School, parts: Parts, tamper: Tamper, code: str, place: str
) -> None:
    """Its sort, and the very file, record or figure; in both languages."""
    last = parts.events()[-1]["seq"]
    numbers = {
        "missed": parts.seq_of("snapshot.missed"),
        "last": last,
        "third last": last - 2,
        "fourth last": last - 3,
        "beyond": last + 1,
        "first anchor": parts.anchors()[0].seq,
    }
    tamper(parts, school)
    found = fault_of(parts.zipped(), school.centre.signer.public_key)
    assert found[0] == code
    assert place.format_map(numbers) in found[1]
    zh, en = explain.FAULTS[code]
    said = explain.refused(*found)
    assert zh in said and en in said and found[1] in said


def test_an_untouched_bundle_is_put_together_again_and_accepted(
    school: School, parts: Parts
) -> None:
    """What these tests do to a bundle is what makes it refused, not that they do something."""
    before = parts.zipped()
    assert fault_of(before, school.centre.signer.public_key) == ("", "")
    parts.signed(school.centre.signer)
    assert fault_of(parts.zipped(), school.centre.signer.public_key) == ("", "")


def test_a_forgery_that_agrees_with_itself_is_refused(school: School, tmp_path: Path) -> None:
    """Equal names, another history, new keys throughout: only the key from elsewhere tells."""
    with taught(tmp_path, trouble=False) as forged:
        content = forged.bundle()
        assert check(content, forged.centre.signer.public_key).figures.passing == 12
        code, place = fault_of(content, school.centre.signer.public_key)
    assert code == "other_key"
    assert place == form.key_in_groups(forged.centre.signer.public_key)


def test_a_forgery_that_names_the_true_key_is_refused(school: School, tmp_path: Path) -> None:
    """It cannot sign for it."""
    with taught(tmp_path, trouble=False) as forged:
        parts = Parts(forged.bundle())
        parts.signed(forged.centre.signer, key=school.centre.signer.public_key)
    key = school.centre.signer.public_key
    assert fault_of(parts.zipped(), key) == ("manifest_changed", form.MANIFEST)


def test_what_somebody_kept_outside_convicts_the_centre_itself(
    school: School, whole: bytes
) -> None:
    """A statement with another hash: centre and box rewrote history together since."""
    signer = school.centre.signer
    anchor = Parts(whole).anchors()[-1]
    head = Head("room-203", anchor.ledger, anchor.seq, anchor.hash, anchor.at)
    kept = write(Statement("", signer.public_key, (head,)), signer.sign)
    assert check(whole, signer.public_key, kept).witnessed == 1
    other = write(Statement("", signer.public_key, (replace(head, hash=bytes(32)),)), signer.sign)
    code, place = fault_of(whole, signer.public_key, other)
    assert (code, place) == ("witness_disagrees", f"--statement: room-203 ledger-1 {anchor.seq}")
    silent = write(Statement("", signer.public_key, ()), signer.sign)
    assert fault_of(whole, signer.public_key, silent)[0] == "witness_silent"


def test_every_fault_has_its_words() -> None:
    """Whatever the check may find, it can say; and it says nothing that it cannot find."""
    folder = Path(explain.__file__).parent
    raised = "".join((folder / f"{name}.py").read_text() for name in
                     ("archive", "chains", "verify"))  # fmt: skip
    assert [code for code in explain.FAULTS if f'"{code}"' not in raised] == []


def test_a_manifest_of_another_version_is_called_that(school: School, parts: Parts) -> None:
    """It is signed and whole; that is no forgery."""
    values = json.loads(parts[form.MANIFEST])
    content = canonical(values | {"form": 2}) + b"\n"
    signer = school.centre.signer
    parts[form.MANIFEST] = content
    parts[form.SIGNATURE] = signer.sign(b"classbox-bundle-1\n" + content).hex().encode() + b"\n"
    assert fault_of(parts.zipped(), signer.public_key)[0] == "other_version"


def test_pages_of_another_version_are_not_called_false(school: School, parts: Parts) -> None:
    """Rules and words change within five years: the check says what it did not compare."""
    _page(parts, school)
    parts.signed(school.centre.signer, pages=0)
    proven = check(parts.zipped(), school.centre.signer.public_key)
    assert not proven.recounted
    said = explain.accepted(proven)
    assert "包内数字未经重算" in said and "were not compared" in said
