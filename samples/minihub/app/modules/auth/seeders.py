from app import db
from app.modules.auth.models import User
from app.modules.profile.models import Profile
from core.seeding import Seeder


class UserSeeder(Seeder):
    priority = 1

    def run(self) -> None:
        for email, name, surname, affiliation in [
            ("user1@example.com", "Ada", "Reyes", "University of Somewhere"),
            ("user2@example.com", "Bruno", "Lindt", "Institute of Product Lines"),
        ]:
            user = User(email, "1234")
            user.profile = Profile(name=name, surname=surname, affiliation=affiliation)
            db.session.add(user)
