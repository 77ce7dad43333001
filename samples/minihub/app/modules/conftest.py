"""What the tests of all modules share. They run on the test database, which they empty."""

import os
from pathlib import Path

import flask_migrate
import pytest
from sqlalchemy import MetaData, text

from app import create_app, db
from app.modules.auth.models import User
from app.modules.profile.models import Profile
from core.modules import ignored_modules

EMAIL, PASSWORD = "test@example.com", "test1234"


def pytest_ignore_collect(collection_path, config):
    """Browser tests need a running site: they run only when somebody names them. An ignored module has no tests."""
    if "selenium" in collection_path.name and not any("selenium" in argument for argument in config.args):
        return True
    module = collection_path.relative_to(Path(__file__).parent).parts[:1]
    return True if module and module[0] in ignored_modules() else None


def drop_all_tables():
    """Also those that no model knows (any more)."""
    with db.engine.begin() as connection:
        connection.execute(text("SET FOREIGN_KEY_CHECKS = 0"))
        tables = MetaData()
        tables.reflect(connection)
        for table in tables.tables.values():
            table.drop(connection)
        # The connection goes back into the pool.
        connection.execute(text("SET FOREIGN_KEY_CHECKS = 1"))


@pytest.fixture(scope="session")
def migrated_app(tmp_path_factory):
    """The application on a test database that the revisions have just made, so that every test tests them too."""
    if os.getenv("MARIADB_TEST_DATABASE", "") in ("", os.getenv("MARIADB_DATABASE", "uvlhubdb")):
        pytest.exit("MARIADB_TEST_DATABASE must name a database of its own: the tests empty it", returncode=2)

    os.environ["UPLOADS_DIR"] = str(tmp_path_factory.mktemp("uploads"))
    app = create_app("testing")
    with app.app_context():
        drop_all_tables()
        flask_migrate.upgrade()
    yield app
    with app.app_context():
        drop_all_tables()


@pytest.fixture
def app(migrated_app):
    """The application with nobody in its database but one user."""
    with migrated_app.app_context():
        for table in reversed(db.metadata.sorted_tables):
            db.session.execute(table.delete())
        user = User(EMAIL, PASSWORD)
        user.profile = Profile(name="Tess", surname="Ting")
        db.session.add(user)
        db.session.commit()
    return migrated_app


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture
def logged_in(client):
    answer = client.post("/login", data={"email": EMAIL, "password": PASSWORD})
    assert answer.status_code == 302
    return client
