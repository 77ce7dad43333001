"""``rosemary db:seed``, ``rosemary test`` and the like. Run it where the app package lies."""

import glob
import importlib.util
import os
import shutil
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
@click.option("--reset", is_flag=True, help="Empty the tables before.")
@with_appcontext
def db_seed(yes, reset):
    """Fill a migrated database with example users and feature models."""
    from sqlalchemy.exc import SQLAlchemyError

    from core.seeding import seed

    if reset:
        click.get_current_context().invoke(db_reset, yes=yes)
    elif not yes:
        click.confirm("This adds example rows to the database. Go on?", abort=True)
    try:
        for name in seed():
            click.echo(f"{name} done")
    except SQLAlchemyError as error:
        raise click.ClickException(f"nothing was seeded: {getattr(error, 'orig', None) or error}") from error
    click.echo("Seeded.")


@cli.command("db:reset")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@with_appcontext
def db_reset(yes):
    """Delete every row; the tables and their revision stay."""
    from app import db

    if not yes:
        click.confirm(f"This deletes every row of {db.engine.url.database}. Go on?", abort=True)
    for table in reversed(db.metadata.sorted_tables):
        db.session.execute(table.delete())
    db.session.commit()
    click.echo("Emptied.")


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


@cli.command("clear:uploads")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def clear_uploads(yes):
    """Delete the uploaded files; their rows stay."""
    from core.configuration import uploads_dir

    folder = os.path.abspath(uploads_dir())
    if not yes:
        click.confirm(f"This deletes what is in {folder}. Go on?", abort=True)
    if os.path.isdir(folder):
        # What is in it, not the folder: it may be a volume.
        for entry in os.scandir(folder):
            shutil.rmtree(entry) if entry.is_dir(follow_symlinks=False) else os.remove(entry)
    click.echo("Cleared.")


@cli.command("test")
@click.argument("module", required=False)
@click.option("-k", "keyword", help="Only tests whose name matches.")
def test(module, keyword):
    """Run pytest on all modules, or on one. Selenium's tests are left out."""
    _run([sys.executable, "-m", "pytest", "-v", *(["-k", keyword] if keyword else []), _module_folder(module)])


@cli.command("selenium")
@click.argument("module", required=False)
def selenium(module):
    """Run the browser tests of all modules, or of one, on the running site."""
    files = sorted(glob.glob(os.path.join(_module_folder(module), "**", "test_selenium*.py"), recursive=True))
    if not files:
        raise click.ClickException(f"{module or 'this application'} has no browser tests")
    if importlib.util.find_spec("selenium") is None:
        raise click.ClickException("the Python package selenium is not installed here")
    _run([sys.executable, "-m", "pytest", "-v", *files])


@cli.command("locust", context_settings={"ignore_unknown_options": True})
@click.argument("arguments", metavar="[MODULE] [-- LOCUST ARGUMENTS]", nargs=-1, type=click.UNPROCESSED)
def locust(arguments):
    """Run Locust on all modules, or on one."""
    from core.environment import working_dir

    module = None
    if arguments and not arguments[0].startswith("-"):
        module, *arguments = arguments
    file = (
        os.path.join(_module_folder(module), "tests", "locustfile.py")
        if module
        else os.path.join(working_dir(), "core", "bootstraps", "locustfile_bootstrap.py")
    )
    _run(["locust", "-f", file, *arguments])


def _module_folder(module):
    from core.environment import working_dir
    from core.modules import all_modules

    if module and module not in all_modules():
        raise click.ClickException(f"there is no module {module}; there are {', '.join(all_modules())}")
    return os.path.join(working_dir(), "app", "modules", module or "")


def _run(command):
    """Becomes the command's answer: its output, its exit code."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [os.getcwd(), os.getenv("PYTHONPATH")]))}
    try:
        sys.exit(subprocess.run(command, env=environment, check=False).returncode)
    except FileNotFoundError as error:
        raise click.ClickException(f"{command[0]} is not installed here") from error
