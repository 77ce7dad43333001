"""What Locust starts with when no module is named: the users of every module's locustfile."""

import importlib.util
import os

from locust import HttpUser

from core.environment import working_dir
from core.modules import active_modules, has_part


def users():
    for module in active_modules():
        if has_part(module, "tests/locustfile"):
            # By its path: by its name it would pull in the application, whose packages Locust's image has not.
            path = os.path.join(working_dir(), "app", "modules", module, "tests", "locustfile.py")
            spec = importlib.util.spec_from_file_location(f"{module}_locustfile", path)
            locustfile = importlib.util.module_from_spec(spec)
            spec.loader.exec_module(locustfile)
            for value in vars(locustfile).values():
                if isinstance(value, type) and issubclass(value, HttpUser) and value is not HttpUser:
                    yield value


# Locust takes every class that this file holds under a name of its own.
globals().update({user.__name__: user for user in users()})
