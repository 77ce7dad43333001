"""Finds the modules under app/modules, less those that .moduleignore names."""

import importlib
import os
from typing import TYPE_CHECKING

from core.environment import working_dir

if TYPE_CHECKING:
    from flask import Flask


def ignored_modules() -> list[str]:
    """The lines of WORKING_DIR/.moduleignore; none if there is no such file."""
    path = os.path.join(working_dir(), ".moduleignore")
    if not os.path.exists(path):
        return []
    with open(path) as file:
        return [line.strip() for line in file if line.strip()]


def all_modules() -> list[str]:
    folder = os.path.join(working_dir(), "app", "modules")
    return sorted(name for name in os.listdir(folder) if os.path.isfile(os.path.join(folder, name, "__init__.py")))


def active_modules() -> list[str]:
    ignored = ignored_modules()
    return [name for name in all_modules() if name not in ignored]


def has_part(module: str, part: str) -> bool:
    return os.path.isfile(os.path.join(working_dir(), "app", "modules", module, f"{part}.py"))


def register_modules(app: "Flask") -> None:
    # Every module's tables stay known: else an ignored module would look like tables to drop.
    for name in all_modules():
        if has_part(name, "models"):
            importlib.import_module(f"app.modules.{name}.models")

    for name in active_modules():
        if has_part(name, "routes"):
            app.register_blueprint(importlib.import_module(f"app.modules.{name}.routes").blueprint)
