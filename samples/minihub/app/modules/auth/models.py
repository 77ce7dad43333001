from datetime import UTC, datetime

from flask_login import UserMixin
from werkzeug.security import check_password_hash, generate_password_hash

from app import db, login_manager


class User(UserMixin, db.Model):
    id = db.Column(db.Integer, primary_key=True)
    email = db.Column(db.String(255), nullable=False, unique=True, index=True)
    password_hash = db.Column(db.String(255), nullable=False)
    created_at = db.Column(db.DateTime, nullable=False, default=lambda: datetime.now(UTC))

    profile = db.relationship("Profile", back_populates="user", uselist=False, cascade="all, delete-orphan")
    feature_models = db.relationship("FeatureModel", back_populates="user")

    def __init__(self, email: str, password: str, **values):
        super().__init__(email=email.strip().lower(), password_hash=generate_password_hash(password), **values)

    def check_password(self, password: str) -> bool:
        return check_password_hash(self.password_hash, password)

    @staticmethod
    def by_email(email: str) -> "User | None":
        return db.session.scalar(db.select(User).where(User.email == email.strip().lower()))


@login_manager.user_loader
def load_user(user_id: str) -> User | None:
    return db.session.get(User, int(user_id))
