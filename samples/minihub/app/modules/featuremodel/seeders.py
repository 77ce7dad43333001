from pathlib import Path

from app.modules.auth.models import User
from app.modules.featuremodel.services import add_model
from core.seeding import Seeder

EXAMPLES = Path(__file__).parent / "uvl_examples"


class FeatureModelSeeder(Seeder):
    priority = 2

    def run(self) -> None:
        for email, filename, title, description, tags in [
            ("user1@example.com", "text_editor.uvl", "Text editor", "The classic of the lecture, kept small.", "teaching, desktop"),
            ("user2@example.com", "smart_lock.uvl", "Smart lock", "Ways to open a door, and who gets to know of it.", "embedded, home"),
            ("user2@example.com", "weather_station.uvl", "Weather station", "Sensors with a cardinality, and what they need for power.", "embedded, sensors"),
            ("user1@example.com", "online_library.uvl", "Online library", "A web product line with loans, reviews and e-books.", "teaching, web"),
            ("user2@example.com", "bike_computer.uvl", "Bike computer", "What a handlebar computer can show, and by which radio.", "embedded"),
            ("user1@example.com", "coffee_machine.uvl", "Coffee machine", "Brewing, payment and the things that make it nicer.", "embedded, teaching"),
        ]:
            owner = User.by_email(email)
            assert owner is not None, f"{email} is seeded first"
            add_model(owner, title, description, tags, filename, (EXAMPLES / filename).read_bytes())
