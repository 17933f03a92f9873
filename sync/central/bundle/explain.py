"""What a check of a bundle came to, in words: Chinese and English, for people who audit. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from edge.forms import local
from edge.model import Instant
from edge.rules.credit import Credit
from sync.central.bundle.verify import Proven

FAULTS: Mapping[str, tuple[str, str]] = {
    # The container.
    "truncated": ("文件不完整，或不是 ZIP", "the file is cut short, or no ZIP"),
    "damaged": ("文件已损坏", "a file in it is damaged"),
    "duplicate": ("同名文件出现两次", "a name stands in it twice"),
    "unsafe_name": ("文件名指向包外", "a file name leads out of the bundle"),
    "bomb": ("解压后异常巨大", "a file would unpack to far more than a bundle holds"),
    "hidden_bytes": ("ZIP 中藏有其他内容", "the ZIP hides bytes that other readers may show"),
    "extra_file": ("多出未列明的文件", "a file is in it that the centre did not list"),
    "file_missing": ("缺少文件", "a file is missing"),
    "file_changed": ("文件被改动", "a file was changed"),
    # Who signed it.
    "other_key": (
        "不是由您所信任的中心签名；包内的密钥为",
        "not signed by the centre that you trust; the key in it is",
    ),
    "manifest_changed": (
        "目录（manifest）在中心签名之后被改动",
        "the manifest was changed after the centre signed it",
    ),
    "other_version": (
        "由其他版本的软件生成，请用相应版本核验",
        "made by another version of this software: check it with that",
    ),
    # The chains.
    "chain_unreadable": ("记录链无法读取", "a chain of records cannot be read"),
    "chain_foreign": ("记录链不属于该终端", "a chain is not that of its box"),
    "event_removed": ("缺少一条记录，序号", "a record was removed: number"),
    "event_reordered": ("记录次序被调换，应为序号", "records were reordered; here belongs number"),
    "event_added": ("多出一条记录，序号", "a record was added: number"),
    "event_changed": ("记录被改动", "a record was changed"),
    "event_resigned": (
        "记录不是由该终端的密钥签名",
        "a record is not signed with the key of its box",
    ),
    "event_unlinked": ("记录与前一条不相接", "a record does not follow from the one before"),
    "body_changed": ("记录的内容被改动", "the content of a record was changed"),
    "body_without_salt": ("记录的内容缺少盐值", "the content of a record lacks its salt"),
    "body_unreadable": ("记录的内容无法读取", "the content of a record cannot be read"),
    "erasure_unfounded": (
        "称内容已依法删除，但链上没有删除记录",
        "content is said to be erased, and no record says that it was",
    ),
    "erased_present": (
        "链上记为已删除的内容仍在包内",
        "content is there that a record says was erased",
    ),
    # The centre's anchors, and clocks.
    "anchor_missing": ("缺少中心对该记录的签名（锚点）", "the centre's anchor is missing for"),
    "anchor_changed": (
        "锚点被改动，或不是中心所签",
        "an anchor was changed, or is not the centre's",
    ),
    "anchor_foreign": ("锚点属于其他记录链", "an anchor belongs to another chain"),
    "anchor_disagrees": ("锚点与记录链不一致", "an anchor does not agree with its chain"),
    "clock_forged": (
        "锚点的时间与记录的时间矛盾",
        "the time of an anchor contradicts that of the records",
    ),
    # What judges the lessons.
    "document_changed": ("规则文件被改动", "a document of rules was changed"),
    "lesson_changed": (
        "课次与开课时固定的不一致",
        "a lesson is not the one that was frozen when it was opened",
    ),
    "rules_changed": (
        "规则与开课时固定的不一致",
        "the rules are not those that were frozen when the lesson was opened",
    ),
    # Pictures and pages.
    "media_missing": ("缺少照片", "a picture is missing"),
    "media_swapped": ("照片被替换", "a picture was swapped"),
    "media_unnamed": ("照片不为任何记录所提及", "no record names a picture"),
    "figures_changed": (
        "数字与记录不符（包内 ≠ 重新计算）",
        "a figure does not follow from the records (in it ≠ counted again)",
    ),
    "page_changed": (
        "页面与记录不符（包内 ≠ 重新生成）",
        "a page does not follow from the records (in it ≠ made again)",
    ),
    # Witnesses.
    "statement_changed": (
        "存证声明被改动，或属于其他中心",
        "a statement was changed or is another's",
    ),
    "witness_disagrees": (
        "与外部留存的存证声明不一致：中心的记录在此之后被改写",
        "does not agree with the statement kept outside: records were rewritten since",
    ),
    "witness_silent": (
        "所给存证声明未涉及本包的任何记录链",
        "the statement given says nothing of any chain in this bundle",
    ),
    "stamp_bad": ("时间戳无效", "a time stamp does not hold"),
}


def refused(code: str, place: str) -> str:
    """Return what to say of a bundle with a fault."""
    zh, en = FAULTS[code]
    return "\n".join(
        (
            "核验未通过 / NOT VERIFIED",
            f"第一处问题：{zh}：{place}",
            f"First fault: {en}: {place}",
            "请勿采信本材料包，并向出具单位索取原件；保留现有文件备查。",
            "Do not rely on this bundle. Ask its issuer for the original, and keep this file.",
        )
    )


def accepted(proven: Proven) -> str:
    """Return what an intact bundle proves, and what it does not."""
    manifest, figures = proven.manifest, proven.figures
    zone = ZoneInfo(manifest.zone)
    if not proven.events:
        return "\n".join(
            (
                "核验通过，但包内没有任何终端记录 / VERIFIED, BUT NO BOX RECORDED ANYTHING",
                "中心只陈述了班级与课表；没有考勤可以证明。",
                "The centre states class and timetable only: there is no attendance to prove.",
            )
        )
    since = _day(proven.since, zone)
    hours = [figures.total(state) for state in (Credit.VALID, Credit.PENDING, Credit.INVALID)]
    zh = [
        "核验通过 / VERIFIED",
        f"{manifest.the_class.name}（{manifest.the_class.period_id or '无期次 ID'}），"
        f"由 {manifest.centre or '未署名的中心'} 于 {_time(manifest.made_at, zone)} 生成。",
        f"自 {since} 起未发现改动；不能证明内容真实，请结合照片核对。",
        f"已核对：{proven.events} 条记录的哈希、次序和终端签名，中心的锚点，"
        f"{proven.pictures} 张照片，"
        f"并由记录重新计算全部数字：有效 {hours[0]}、待审核 {hours[1]}、无效 {hours[2]} 人·课时。",
        "不能证明：照片中的人是谁、是否本人；花名册、课表和备案是否属实（由中心陈述）；"
        "中心是否漏交了整条记录链、或把本班的记录列为不属本班。",
    ]
    en = [
        f"Since {since} no change is found; this cannot prove that the content is true: compare it "
        "with the photos.",
        f"Checked: hash, order and the box's signature of {proven.events} records, the centre's "
        f"anchors, {proven.pictures} pictures; all figures counted again from the records: "
        f"{hours[0]} valid, {hours[1]} pending, {hours[2]} invalid trainee hours.",
        "Not proven: who is in the photos; whether roster, timetable and filing are true (the "
        "centre states them); that the centre left out no chain, and withheld no record of this "
        "class as another's.",
    ]
    if not proven.recounted:
        zh.append(
            f"页面由其他版本（{manifest.pages}）的软件生成：包内数字未经重算，仅由中心签名担保；"
            "上列数字按本版本规则计算。"
        )
        en.append(
            f"Its pages are those of another version ({manifest.pages}) of this software: the "
            "figures on them were not compared, only the centre's signature stands for them; the "
            "figures above are by the rules of this version."
        )
    if proven.withheld:
        zh.append(f"{proven.withheld} 条记录不属本班，只有链上的哈希，没有内容。")
        en.append(
            f"{proven.withheld} records are of others: their hashes are here, not their content."
        )
    if proven.erased or proven.absent:
        zh.append(f"{proven.erased} 条记录的内容已依法删除；{proven.absent} 张照片不在包内。")
        en.append(
            f"The content of {proven.erased} records was erased; "
            f"{proven.absent} pictures are not here."
        )
    for time in proven.stamped:
        zh.append(f"时间戳机构证明：{_time(time, zone)} 时记录链已如此存在。")
        en.append(f"A time stamp authority proves that the chains stood so at {_time(time, zone)}.")
    if proven.unchecked_stamps:
        zh.append(f"另有 {proven.unchecked_stamps} 个时间戳未核对：请用 --roots 给出其根证书。")
        en.append(f"{proven.unchecked_stamps} time stamps were not checked: give --roots.")
    if proven.witnessed:
        zh.append("与外部留存的存证声明一致：中心自己也未能改写其前的记录。")
        en.append(
            "It agrees with the statement kept outside: not even the centre rewrote what is before."
        )
    elif not proven.stamped:
        zh.append(
            "未与外部存证核对：若中心与终端的密钥同时失守，整链重造无法由本包发现（--statement、--roots）。"
        )
        en.append(
            "No outside witness was asked: a history that centre and boxes forged together would "
            "not be noticed (--statement, --roots)."
        )
    return "\n".join([*zh, "", *en])


def _day(at: Instant, zone: ZoneInfo) -> str:
    return local(at, zone).strftime("%Y-%m-%d")


def _time(at: Instant, zone: ZoneInfo) -> str:
    return local(at, zone).strftime("%Y-%m-%d %H:%M")
