"""The pages of a bundle: ``index.html``, made from manifest, facts and figures alone.

Promises that equal contents give equal bytes: who checks a bundle makes the page again and
compares. The page is one file with its style inside; only pictures are beside it. It needs no
script: a click leads to a part of the page (``:target``), and a small script closes that with
Escape.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from edge.forms import local
from edge.model import Instant
from edge.rules.credit import Credit
from edge.rules.heads import compare
from edge.rules.reasons import explain
from sync.central.bundle import words
from sync.central.bundle.facts import Facts, Taught
from sync.central.bundle.figures import EXCEPTIONS, Figures, Irregularity
from sync.central.bundle.form import AUTHORITY, AWAY, GONE, Manifest

# Raise it with every released change of what equal records come to: of the rules of credit, of
# figures, of words, of the template. Bundles of other versions are then not called false.
VERSION = 1
_DAYS = "一二三四五六日"

NOTE = """\
佐证材料包 / Evidence bundle

1. 先把整个 ZIP “全部解压缩”，再双击 index.html，用浏览器查看，不需要联网。
   Extract the whole ZIP first, then open index.html in a browser. No network is needed.

2. 核验 / To check it:

   classbox evidence verify BUNDLE.zip --trust FINGERPRINT

   指纹须另行取得（由中心书面告知），不得取自本材料包。
   The fingerprint must reach you on another way than this bundle.

3. manifest.json 列出全部文件及其 SHA-256，由中心签名；chains/ 是各终端的记录链；
   anchors.jsonl 是中心逐日的签名；media/ 中的文件以其 SHA-256 为名。
   manifest.json lists every file with its SHA-256 and is signed by the centre; chains/ holds the
   boxes' chains of records, anchors.jsonl the centre's daily signatures; files in media/ are named
   by their SHA-256.
"""


def index(manifest: Manifest, facts: Facts, figures: Figures) -> bytes:
    """Return ``index.html`` (UTF-8)."""
    zone = ZoneInfo(manifest.zone)
    files = {_stem(name): name for name in manifest.files if name.startswith("media/")}

    def hhmm(at: Instant) -> str:
        return local(at, zone).strftime("%H:%M:%S")

    def when(at: Instant) -> str:
        return local(at, zone).strftime("%Y-%m-%d %H:%M")

    def day(at: Instant) -> str:
        moment = local(at, zone)
        return f"{moment:%m-%d} 周{_DAYS[moment.weekday()]}"

    lessons = {one.lesson.id: one for one in facts.lessons}
    return (
        _template()
        .render(
            m=manifest,
            facts=facts,
            figures=figures,
            Credit=Credit,
            hhmm=hhmm,
            when=when,
            day=day,
            picture=lambda name: _picture(name, manifest, files),
            exceptions=[
                (words.EXCEPTIONS[code], _listed(figures, code, lessons, when, hhmm, day))
                for code in EXCEPTIONS
            ],
            cell=_cell,
            credit_words=words.CREDITS,
            why=lambda hour: "".join(explain(one, "zh", zone) for one in hour.reasons),
            cause=words.cause,
            reason=words.reason,
            agreement=compare,
            masked=lambda one: words.masked(one, manifest.copy == AUTHORITY),
            for_authority=manifest.copy == AUTHORITY,
            city=any(one.profile.authority == "city_platform" for one in facts.lessons),
            percent=max((one.profile.pass_percent for one in facts.lessons), default=80),
            rules=sorted(
                {f"{one.profile.name} 第 {one.profile.version} 版" for one in facts.lessons}
            ),
            conclusion=_conclusion(figures),
        )
        .encode("utf-8")
    )


def note() -> bytes:
    """Return ``README.txt``, with the line ends and the mark that Windows editors look for."""
    return b"\xef\xbb\xbf" + NOTE.replace("\n", "\r\n").encode("utf-8")


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("sync.central.bundle"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
        keep_trailing_newline=True,
    )
    return environment.get_template("index.html")


def _conclusion(figures: Figures) -> str:
    """Return what the figures come to. They decide nothing."""
    waiting = figures.total(Credit.PENDING)
    odd = len(figures.exceptions)
    parts = [
        f"共 {len(figures.hours)} 人，按有效课时计 {figures.passing} 人达到合格线",
        f"待审核 {waiting} 人·课时" if waiting else "无待审核课时",
        f"异常 {odd} 项，逐项见第 2 页" if odd else "未发现异常",
    ]
    return "；".join(parts) + "。以上为系统统计，是否认定由主管部门决定。"


def _listed(
    figures: Figures,
    code: str,
    lessons: Mapping[str, Taught],
    when: Callable[[Instant], str],
    clock: Callable[[Instant], str],
    day: Callable[[Instant], str],
) -> list[tuple[str, str, str]]:
    """Return (lesson id or empty, lesson in words, text) of the exceptions of one sort."""
    return [
        (one.lesson, _where(one, lessons, day), words.exception(one, when, clock))
        for one in figures.exceptions
        if one.code == code
    ]


def _where(one: Irregularity, lessons: Mapping[str, Taught], day: Callable[[Instant], str]) -> str:
    taught = lessons.get(one.lesson)
    return f"{day(taught.lesson.start)} {taught.lesson.room} 教室" if taught else ""


def _cell(taught: Taught, number: int, segment: int) -> str:
    """Return the state of a trainee's segment: that of its hours, which are judged together."""
    hours = taught.segments[segment].hours
    states = {hour.credit for hour in taught.pupils[number].hours if hour.hour in hours}
    for state in (Credit.INVALID, Credit.PENDING, Credit.VALID):
        if state in states:
            return str(state)
    return str(Credit.INVALID)


def _picture(sha256: str, manifest: Manifest, files: Mapping[str, str]) -> tuple[str, str]:
    """Return the file of a picture, or an empty name and why there is none."""
    if sha256 in files:
        return files[sha256], ""
    if not sha256:
        return "", "无照片"
    state = manifest.media.get(sha256, AWAY)
    return "", {AWAY: "未上传到中心", GONE: "已依法删除"}.get(state, "不在本包内")


def _stem(name: str) -> str:
    return name.removeprefix("media/").partition(".")[0]
