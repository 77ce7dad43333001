"""minihub: a small hub of feature models. ``flask`` finds ``app`` here by the package's name."""

import os

from flask import Flask, render_template
from flask_login import LoginManager
from flask_migrate import Migrate
from flask_sqlalchemy import SQLAlchemy
from flask_wtf.csrf import CSRFProtect
from sqlalchemy import MetaData
from sqlalchemy.exc import OperationalError

from core.configuration import app_version, config_for
from core.modules import register_modules

# Named constraints, so that revisions can drop what they made.
db = SQLAlchemy(
    metadata=MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
)
migrate = Migrate()
csrf = CSRFProtect()
login_manager = LoginManager()
login_manager.login_view = "auth.login"
login_manager.login_message = "Log in to go on."


def create_app(config_name: str | None = None) -> Flask:
    """Builds the application. ``config_name``: development, testing or production; by default FLASK_ENV decides."""
    app = Flask(__name__)
    app.config.from_object(config_for(config_name))

    db.init_app(app)
    migrate.init_app(app, db)
    csrf.init_app(app)
    login_manager.init_app(app)
    register_modules(app)

    @app.context_processor
    def names():
        return {
            "FLASK_APP_NAME": os.getenv("FLASK_APP_NAME", "MINIHUB"),
            "FLASK_ENV": os.getenv("FLASK_ENV", "development"),
            "APP_VERSION": app_version(),
            "MODULES": app.blueprints.keys(),
        }

    def error_page(status: int, headline: str, text: str):
        # The page extends nothing that asks who is logged in: the database may be what failed.
        return render_template("error.html", status=status, headline=headline, text=text), status

    @app.errorhandler(OperationalError)
    def database_is_away(error):
        app.logger.error("The database does not answer: %s", error.orig)
        return error_page(503, "The database does not answer", "It may be starting. Reload the page in a moment.")

    @app.errorhandler(404)
    def not_found(_):
        return error_page(404, "Nothing here", "The page that you asked for does not exist.")

    @app.errorhandler(413)
    def too_large(_):
        return error_page(413, "Too large", "A feature model may have one megabyte.")

    @app.errorhandler(500)
    def failed(_):
        return error_page(500, "That did not work", "The reason is in the application's log.")

    return app


app = create_app()
