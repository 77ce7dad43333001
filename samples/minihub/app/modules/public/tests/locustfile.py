import random
import re

from locust import HttpUser, between, task

from core.targets import site_url

MODEL = re.compile(r'href="(/featuremodel/\d+)"')


class Reader(HttpUser):
    """Looks at the list, and at one model of it."""

    wait_time = between(1, 3)
    host = site_url("LOCUST_HOST")

    @task
    def read(self):
        models = MODEL.findall(self.client.get("/").text)
        if models:
            self.client.get(random.choice(models), name="/featuremodel/[id]")
