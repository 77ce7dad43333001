import hashlib
import os
import tempfile

from flask_sqlalchemy.pagination import Pagination
from sqlalchemy.orm import joinedload, selectinload
from werkzeug.utils import secure_filename

from app import db
from app.modules.auth.models import User
from app.modules.featuremodel import uvl
from app.modules.featuremodel.models import Download, FeatureModel, Tag
from core.configuration import uploads_dir


PAGE_SIZE = 24


def list_models(query: str = "", tag: str = "", user_id: int | None = None, page: int = 1) -> Pagination:
    """The newest models first, a page at a time, with what a list shows of each."""
    statement = (
        db.select(FeatureModel)
        .order_by(FeatureModel.created_at.desc(), FeatureModel.id.desc())
        .options(joinedload(FeatureModel.user).joinedload(User.profile), selectinload(FeatureModel.tags))
    )
    if query:
        statement = statement.where(
            FeatureModel.title.contains(query, autoescape=True) | FeatureModel.uvl.contains(query, autoescape=True)
        )
    if tag:
        statement = statement.where(FeatureModel.tags.any(Tag.name == tag))
    if user_id is not None:
        statement = statement.where(FeatureModel.user_id == user_id)
    return db.paginate(statement, page=max(page, 1), per_page=PAGE_SIZE, error_out=False)


def list_tags() -> list[Tag]:
    return list(db.session.scalars(db.select(Tag).where(Tag.feature_models.any()).order_by(Tag.name)))


def totals() -> dict[str, int]:
    return {
        "models": db.session.scalar(db.select(db.func.count(FeatureModel.id))),
        "features": db.session.scalar(db.select(db.func.coalesce(db.func.sum(FeatureModel.features), 0))),
        "downloads": db.session.scalar(db.select(db.func.count(Download.id))),
    }


def add_model(user: User, title: str, description: str, tags: str, filename: str, content: bytes) -> FeatureModel:
    """Stores a file and its row; the caller commits. Raises UvlError if the file is no UVL."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise uvl.UvlError("the file is not UTF-8 text") from error

    parsed = uvl.parse(text)
    checksum = hashlib.sha256(content).hexdigest()
    _store(checksum, content)
    model = FeatureModel(
        user=user,
        title=title,
        description=description,
        filename=secure_filename(filename)[-120:] or "model.uvl",
        checksum=checksum,
        uvl=text,
        features=parsed.root.count(),
        constraints=len(parsed.constraints),
        tags=_tags(tags),
    )
    db.session.add(model)
    return model


def count_downloads(model: FeatureModel) -> int:
    return db.session.scalar(db.select(db.func.count(Download.id)).where(Download.feature_model_id == model.id))


def record_download(model: FeatureModel, user_id: int | None) -> None:
    db.session.add(Download(feature_model_id=model.id, user_id=user_id))
    db.session.commit()


def stored_path(checksum: str) -> str:
    """Where a file lies. Named by its content, so that databases that share the folder never meet."""
    return os.path.join(os.path.abspath(uploads_dir()), "featuremodels", f"{checksum}.uvl")


def _store(checksum: str, content: bytes) -> None:
    path = stored_path(checksum)
    if os.path.exists(path):
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=os.path.dirname(path))
    with os.fdopen(handle, "wb") as file:
        file.write(content)
    os.chmod(draft, 0o644)
    os.replace(draft, path)


def _tags(text: str) -> list[Tag]:
    names = dict.fromkeys(name.strip().lower()[:50] for name in text.split(",") if name.strip())
    known = {tag.name: tag for tag in db.session.scalars(db.select(Tag).where(Tag.name.in_(names)))} if names else {}
    return [known.get(name) or Tag(name=name) for name in names]
