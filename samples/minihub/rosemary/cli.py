"""``rosemary db:seed``, ``rosemary test`` and the like. Run it where the app package lies."""

import os
import subprocess
import sys

import click
from flask.cli import with_appcontext


@click.group()
def cli():
    """Helps to work on minihub."""
    # An installed script has its own folder on the path, not the current one.
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())


@cli.command("db:seed")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@with_appcontext
def db_seed(yes):
    """Fill a migrated database with example users and feature models."""
    from sqlalchemy.exc import SQLAlchemyError

    from core.seeding import seed

    if not yes:
        click.confirm("This adds example rows to the database. Go on?", abort=True)
    try:
        for name in seed():
            click.echo(f"{name} done")
    except SQLAlchemyError as error:
        raise click.ClickException(f"nothing was seeded: {getattr(error, 'orig', None) or error}") from error
    click.echo("Seeded.")


@cli.command("db:status")
@with_appcontext
def db_status():
    """Print the database's revision and the number of rows of each table."""
    from sqlalchemy import inspect, text

    from app import db

    with db.engine.connect() as connection:
        tables = inspect(connection).get_table_names()
        revision = connection.scalar(text("SELECT version_num FROM alembic_version")) if "alembic_version" in tables else None
        click.echo(f"{db.engine.url.database} at revision {revision or 'none'}")
        for table in sorted(set(tables) - {"alembic_version"}):
            click.echo(f"{table}: {connection.scalar(text(f'SELECT COUNT(*) FROM `{table}`'))}")


@cli.command("module:list")
def module_list():
    """Print the modules, and which of them .moduleignore leaves out."""
    from core.modules import all_modules, ignored_modules

    ignored = ignored_modules()
    for name in all_modules():
        click.echo(f"{name} (ignored)" if name in ignored else name)


@cli.command("test")
@click.argument("module", required=False)
@click.option("-k", "keyword", help="Only tests whose name matches.")
def test(module, keyword):
    """Run pytest on all modules, or on one. Selenium's tests are left out."""
    _pytest(module, ["-k", keyword] if keyword else [], "tests")


def _pytest(module, arguments, kind):
    from core.configuration import working_dir
    from core.modules import all_modules

    if module and module not in all_modules():
        raise click.ClickException(f"there is no module {module}; there are {', '.join(all_modules())}")
    folder = os.path.join(working_dir(), "app", "modules", module or "")
    click.echo(f"Running the {kind} of {module or 'all modules'}")
    sys.exit(subprocess.run([sys.executable, "-m", "pytest", "-v", *arguments, folder], check=False).returncode)
