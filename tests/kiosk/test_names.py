"""Names on the public screen."""

import pytest

from kiosk_ui.names import masked, surname


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("赵敏", "赵*"),
        ("李小华", "李*华"),
        ("欧阳小雪", "欧阳*雪"),
        ("欧阳雪", "欧阳*"),
        ("王李小明", "王*明"),
        ("欧阳", "欧*"),
        ("阿不都·热合曼", "阿*曼"),
        ("Eileen Collins", "E* C*"),
        ("王", "王"),
        ("  李小华 ", "李*华"),
        ("", ""),
    ],
)
def test_a_name_is_masked_as_the_drawing_shows(name: str, shown: str) -> None:
    """Surname and last character stay, whatever lies between is hidden."""
    assert masked(name) == shown


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("王建国", "王"),
        ("诸葛明亮", "诸葛"),
        ("东方", "东"),
        ("Eileen Collins", "Eileen"),
        ("", ""),
    ],
)
def test_a_compound_surname_is_one_surname(name: str, family: str) -> None:
    """People are addressed by their whole family name."""
    assert surname(name) == family
