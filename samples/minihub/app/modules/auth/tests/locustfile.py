import re
import uuid

from locust import HttpUser, between, task

from core.targets import site_url

CSRF_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


class Account(HttpUser):
    """Signs up once, then logs out and in again."""

    wait_time = between(1, 3)
    host = site_url("LOCUST_HOST")

    def on_start(self):
        self.email = f"{uuid.uuid4().hex}@example.com"
        self.send("/signup", name="Load", surname="Tester", email=self.email, password="1234")

    @task
    def log_out_and_in(self):
        self.client.get("/logout")
        self.send("/login", email=self.email, password="1234")

    def send(self, path, **fields):
        token = CSRF_TOKEN.search(self.client.get(path).text)
        with self.client.post(path, data=fields | {"csrf_token": token[1] if token else ""}, catch_response=True) as answer:
            if "/logout" not in answer.text:
                answer.failure(f"{path} did not log {self.email} in")
