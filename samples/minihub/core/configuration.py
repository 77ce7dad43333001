"""Settings, all from the environment: the eleven keys of .env.docker.example and a few optional ones."""

import logging
import os
import secrets

from sqlalchemy.engine import URL

from core.environment import working_dir

log = logging.getLogger(__name__)


def uploads_dir() -> str:
    return os.path.join(working_dir(), os.getenv("UPLOADS_DIR", "uploads"))


def app_version() -> str:
    """What Dockerfile.prod wrote from its build argument VERSION_TAG; empty outside of such an image."""
    try:
        with open(os.path.join(working_dir(), ".version"), encoding="utf-8") as file:
            return file.readline().strip()
    except FileNotFoundError:
        return ""


def database_uri(database: str) -> URL:
    # URL.create escapes what a password may hold; a formatted string would not.
    return URL.create(
        "mysql+pymysql",
        username=os.getenv("MARIADB_USER", "uvlhubdb_user"),
        password=os.getenv("MARIADB_PASSWORD", ""),
        host=os.getenv("MARIADB_HOSTNAME", "localhost"),
        port=int(os.getenv("MARIADB_PORT", "3306")),
        database=database,
        query={"charset": "utf8mb4"},
    )


class Config:
    SQLALCHEMY_ENGINE_OPTIONS = {
        # A restarted database costs one new connection, not an error page.
        "pool_pre_ping": True,
        "connect_args": {"connect_timeout": 5},
    }
    MAX_CONTENT_LENGTH = 1024 * 1024
    SESSION_COOKIE_SAMESITE = "Lax"

    def __init__(self):
        self.SECRET_KEY = os.getenv("SECRET_KEY") or self.fallback_secret_key()
        self.SQLALCHEMY_DATABASE_URI = database_uri(self.database())

    def database(self) -> str:
        return os.getenv("MARIADB_DATABASE", "uvlhubdb")

    def fallback_secret_key(self) -> str:
        # Constant, or every live reload would log everybody out.
        return "minihub-development-only"


class DevelopmentConfig(Config):
    DEBUG = True
    TEMPLATES_AUTO_RELOAD = True


class TestingConfig(Config):
    TESTING = True
    WTF_CSRF_ENABLED = False

    def database(self) -> str:
        return os.getenv("MARIADB_TEST_DATABASE", "uvlhubdb_test")


class ProductionConfig(Config):
    DEBUG = False

    def fallback_secret_key(self) -> str:
        log.warning("SECRET_KEY is not set: sessions end with this process and are not shared between workers")
        return secrets.token_hex(32)


CONFIGS = {
    "development": DevelopmentConfig,
    "testing": TestingConfig,
    # Rehearses production, so nothing but its credentials may differ.
    "staging": ProductionConfig,
    "production": ProductionConfig,
}


def config_for(name: str | None) -> Config:
    name = name or os.getenv("FLASK_ENV") or "development"
    if name not in CONFIGS:
        raise ValueError(f"FLASK_ENV is '{name}'; it must be one of {', '.join(CONFIGS)}")
    return CONFIGS[name]()
