"""What Locust starts with when no module is named: the users of every module's locustfile."""

import importlib

from locust import HttpUser

from core.modules import active_modules, has_part

for _module in active_modules():
    if has_part(_module, "tests/locustfile"):
        _locustfile = importlib.import_module(f"app.modules.{_module}.tests.locustfile")
        for _name, _value in vars(_locustfile).items():
            if isinstance(_value, type) and issubclass(_value, HttpUser) and _value is not HttpUser:
                globals()[f"{_module}_{_name}"] = _value
