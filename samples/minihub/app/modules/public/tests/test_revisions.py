import flask_migrate
from sqlalchemy import inspect

from app import db


def test_the_revisions_make_what_the_models_say(app):
    result = app.test_cli_runner().invoke(args=["db", "check"])
    assert result.exit_code == 0, result.output


def test_every_revision_can_be_taken_back(migrated_app):
    with migrated_app.app_context():
        flask_migrate.downgrade(revision="base")
        assert inspect(db.engine).get_table_names() == ["alembic_version"]
        flask_migrate.upgrade()
        assert "feature_model" in inspect(db.engine).get_table_names()
