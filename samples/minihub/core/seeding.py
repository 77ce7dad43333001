"""What a module's seeders.py offers, and how they run."""

import importlib
from collections.abc import Iterator

from app import db
from core.modules import active_modules, has_part


class Seeder:
    """Adds example rows to a new database. Lower numbers run first."""

    priority = 10

    def run(self) -> None:
        raise NotImplementedError


def seeders() -> list[Seeder]:
    found: list[Seeder] = []
    for name in active_modules():
        if has_part(name, "seeders"):
            module = importlib.import_module(f"app.modules.{name}.seeders")
            found += [
                value()
                for value in vars(module).values()
                if isinstance(value, type) and issubclass(value, Seeder) and value is not Seeder
            ]
    return sorted(found, key=lambda seeder: seeder.priority)


def seed() -> Iterator[str]:
    """Runs every seeder in one transaction and yields their names: all of the examples get in, or none."""
    try:
        for seeder in seeders():
            seeder.run()
            db.session.flush()
            yield type(seeder).__name__
        db.session.commit()
    except BaseException:
        db.session.rollback()
        raise
