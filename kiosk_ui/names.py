"""Names as a public screen may show them: masked, the student number stands beside them. Pure.

李华 → 李*, 李小华 → 李*华, 欧阳小雪 → 欧阳*雪. A surname of two characters is kept whole, because
that is how people are called; whoever bears the name recognises it, a passer-by learns little.
"""

from __future__ import annotations

_COMPOUND = (
    "欧阳司马上官诸葛东方皇甫尉迟公孙慕容令狐宇文长孙司徒夏侯轩辕钟离闻人赫连澹台公冶宗政濮阳"
    "淳于单于太叔申屠仲孙端木呼延万俟闾丘司空独孤南宫拓跋东郭西门百里第五梁丘左丘段干公羊谷梁"
    "乐正漆雕壤驷巫马"
)
COMPOUND_SURNAMES = frozenset(_COMPOUND[index : index + 2] for index in range(0, len(_COMPOUND), 2))
MASK = "*"
DOTS = "·•・"


def surname(name: str) -> str:
    """Return the family name of a Chinese *name*; of any other name its first word."""
    name = name.strip()
    if not _is_han(name):
        return name.split()[0] if name else ""
    if len(name) > 2 and name[:2] in COMPOUND_SURNAMES:
        return name[:2]
    return name[:1]


def masked(name: str) -> str:
    """Return *name* with its middle hidden, or its end when there is no middle."""
    name = name.strip()
    if not name:
        return ""
    if any(dot in name for dot in DOTS):
        return name[0] + MASK + name[-1]
    if not _is_han(name):
        return " ".join(word[0] + MASK for word in name.split())
    family = surname(name)
    given = name[len(family) :]
    if not given:
        return name
    return family + MASK + (given[-1] if len(given) > 1 else "")


def _is_han(name: str) -> bool:
    return bool(name) and all(
        "\u3400" <= letter <= "\u9fff" or letter >= "\U00020000" for letter in name
    )
