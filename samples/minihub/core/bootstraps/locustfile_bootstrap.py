"""What Locust starts with when no module is named: the users of every module's locustfile."""

import importlib

from locust import HttpUser

from core.modules import active_modules, has_part


def users():
    for module in active_modules():
        if has_part(module, "tests/locustfile"):
            locustfile = importlib.import_module(f"app.modules.{module}.tests.locustfile")
            for value in vars(locustfile).values():
                if isinstance(value, type) and issubclass(value, HttpUser) and value is not HttpUser:
                    yield value


# Locust takes every class that this file holds under a name of its own.
globals().update({user.__name__: user for user in users()})
