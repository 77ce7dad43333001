"""Reads as much of the Universal Variability Language as the pages show: the tree of features and the constraints."""

import re
from dataclasses import dataclass, field

SECTIONS = ("namespace", "include", "imports", "features", "constraints")
GROUPS = ("mandatory", "optional", "or", "alternative")
CARDINALITY = re.compile(r"^\[\d+(\.\.(\d+|\*))?\]$")
FEATURE = re.compile(r"^(?:(?:Boolean|Integer|Real|String)\s+)?(?P<name>\"[^\"]+\"|'[^']+'|[\w.]+)(?P<rest>\s+.*)?$")


class UvlError(ValueError):
    """The text is no UVL that we can read; the message says why and in which line."""


@dataclass
class Feature:
    name: str
    # How the parent offers it: a group keyword or a cardinality; None for the root.
    group: str | None = None
    children: list["Feature"] = field(default_factory=list)

    def count(self) -> int:
        return 1 + sum(child.count() for child in self.children)


@dataclass
class Model:
    root: Feature
    constraints: list[str]


def parse(text: str) -> Model:
    root: Feature | None = None
    constraints: list[str] = []
    section = None
    # What encloses the current line: (indentation, feature or group keyword), outermost first.
    stack: list[tuple[int, Feature | str]] = []

    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.split("//", 1)[0].rstrip().expandtabs(4)
        content = line.strip()
        if not content:
            continue

        indentation = len(line) - len(line.lstrip())
        if indentation == 0:
            section = content.split()[0]
            if section not in SECTIONS:
                raise UvlError(f"line {number}: '{content}' is no section of UVL ({', '.join(SECTIONS)})")
            continue

        if section == "constraints":
            constraints.append(content)
        if section != "features":
            continue

        while stack and stack[-1][0] >= indentation:
            stack.pop()

        if content in GROUPS or CARDINALITY.match(content):
            if not stack or isinstance(stack[-1][1], str):
                raise UvlError(f"line {number}: '{content}' belongs under a feature")
            stack.append((indentation, content))
            continue

        match = FEATURE.match(content)
        if match is None:
            raise UvlError(f"line {number}: '{content}' is no feature")
        feature = Feature(match["name"].strip("\"'"))
        if not stack:
            if root is not None:
                raise UvlError(f"line {number}: '{feature.name}' is a second root")
            root = feature
        elif isinstance(stack[-1][1], Feature):
            raise UvlError(f"line {number}: '{feature.name}' needs one of {', '.join(GROUPS)} above it")
        else:
            feature.group = stack[-1][1]
            parent = stack[-2][1]
            assert isinstance(parent, Feature)
            parent.children.append(feature)
        stack.append((indentation, feature))

    if root is None:
        raise UvlError("there is no 'features' section with a root feature in it")
    return Model(root, constraints)
