from datetime import UTC, datetime

from sqlalchemy.dialects.mysql import MEDIUMTEXT
from sqlalchemy.orm import deferred

from app import db

feature_model_tag = db.Table(
    "feature_model_tag",
    db.Column("feature_model_id", db.Integer, db.ForeignKey("feature_model.id"), primary_key=True),
    db.Column("tag_id", db.Integer, db.ForeignKey("tag.id"), primary_key=True),
)


class FeatureModel(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    user_id = db.Column(db.Integer, db.ForeignKey("user.id"), nullable=False)
    title = db.Column(db.String(120), nullable=False)
    description = db.Column(db.Text, nullable=False)
    filename = db.Column(db.String(120), nullable=False)
    checksum = db.Column(db.String(64), nullable=False, index=True)
    # The lists show many models and none of their texts.
    uvl = deferred(db.Column(MEDIUMTEXT, nullable=False))
    features = db.Column(db.Integer, nullable=False)
    constraints = db.Column(db.Integer, nullable=False)
    created_at = db.Column(db.DateTime, nullable=False, default=lambda: datetime.now(UTC))

    user = db.relationship("User", back_populates="feature_models")
    tags = db.relationship("Tag", secondary=feature_model_tag, order_by="Tag.name", back_populates="feature_models")
    downloads = db.relationship("Download", back_populates="feature_model", cascade="all, delete-orphan")


class Tag(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    name = db.Column(db.String(50), nullable=False, unique=True)

    feature_models = db.relationship("FeatureModel", secondary=feature_model_tag, back_populates="tags")


class Download(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    feature_model_id = db.Column(db.Integer, db.ForeignKey("feature_model.id"), nullable=False)
    user_id = db.Column(db.Integer, db.ForeignKey("user.id"))
    downloaded_at = db.Column(db.DateTime, nullable=False, default=lambda: datetime.now(UTC))

    feature_model = db.relationship("FeatureModel", back_populates="downloads")
