import pytest

from app.modules.featuremodel.seeders import EXAMPLES
from app.modules.featuremodel.uvl import UvlError, parse

PHONE = """namespace Phone // a comment

features
    Phone {abstract true}
        mandatory
            "Touch Screen"
                alternative
                    Basic
                    HD
        optional
            Integer Cameras
        [1..2]
            GPS
            NFC

constraints
    NFC => HD
"""


def test_the_tree_keeps_names_groups_and_order():
    model = parse(PHONE)
    assert model.root.name == "Phone"
    assert [(child.group, child.name) for child in model.root.children] == [
        ("mandatory", "Touch Screen"),
        ("optional", "Cameras"),
        ("[1..2]", "GPS"),
        ("[1..2]", "NFC"),
    ]
    assert [child.name for child in model.root.children[0].children] == ["Basic", "HD"]
    assert model.root.count() == 7
    assert model.constraints == ["NFC => HD"]


def test_tabs_indent_as_blanks_do():
    assert parse(PHONE.replace("    ", "\t")) == parse(PHONE)


@pytest.mark.parametrize("example", sorted(EXAMPLES.glob("*.uvl")), ids=lambda path: path.stem)
def test_every_example_can_be_read(example):
    assert parse(example.read_text(encoding="utf-8")).root.count() > 5


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no 'features' section"),
        ("features\n", "no 'features' section"),
        ("hello\n", "line 1: 'hello' is no section of UVL"),
        ("features\n    A\n    B\n", "line 3: 'B' is a second root"),
        ("features\n    A\n        B\n", "line 3: 'B' needs one of mandatory"),
        ("features\n    mandatory\n", "line 2: 'mandatory' belongs under a feature"),
        ("features\n    A\n        or\n            ???\n", "line 4: '???' is no feature"),
    ],
)
def test_what_is_no_uvl_is_refused_with_line_and_reason(text, message):
    with pytest.raises(UvlError) as error:
        parse(text)
    assert message in str(error.value)
