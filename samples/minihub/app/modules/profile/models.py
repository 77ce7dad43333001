from app import db


class Profile(db.Model):
    __tablename__ = "user_profile"

    id = db.Column(db.Integer, primary_key=True)
    user_id = db.Column(db.Integer, db.ForeignKey("user.id"), nullable=False, unique=True)
    name = db.Column(db.String(100), nullable=False)
    surname = db.Column(db.String(100), nullable=False)
    affiliation = db.Column(db.String(100))

    user = db.relationship("User", back_populates="profile")

    @property
    def full_name(self) -> str:
        return f"{self.name} {self.surname}"
