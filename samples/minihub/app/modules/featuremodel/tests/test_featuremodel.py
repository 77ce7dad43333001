import hashlib
import io
import os

import pytest

from app import db
from app.modules.featuremodel import services
from app.modules.featuremodel.models import Download, FeatureModel, Tag

LAMP = b"features\n    Lamp\n        mandatory\n            Bulb\n        optional\n            Dimmer\n\nconstraints\n    Dimmer => Bulb\n"


def upload(client, content=LAMP, filename="lamp.uvl", tags="light, Home,light"):
    form = {"title": "Lamp", "description": "It shines.", "tags": tags, "file": (io.BytesIO(content), filename)}
    return client.post("/featuremodel/upload", data=form)


def only_model():
    return db.session.scalars(db.select(FeatureModel)).one()


def test_uploading_wants_a_login(client):
    answer = upload(client)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/login?next=")


def test_an_upload_is_a_row_and_a_file(logged_in, app):
    answer = upload(logged_in)
    assert answer.status_code == 302
    with app.app_context():
        model = only_model()
        assert answer.headers["Location"] == f"/featuremodel/{model.id}"
        assert (model.features, model.constraints) == (3, 1)
        assert [tag.name for tag in model.tags] == ["home", "light"]
        with open(services.stored_path(hashlib.sha256(LAMP).hexdigest()), "rb") as file:
            assert file.read() == LAMP


def test_a_tag_is_stored_once(logged_in, app):
    upload(logged_in)
    upload(logged_in)
    with app.app_context():
        assert db.session.scalar(db.select(db.func.count(FeatureModel.id))) == 2
        assert db.session.scalar(db.select(db.func.count(Tag.id))) == 2


@pytest.mark.parametrize(
    ("content", "filename", "message"),
    [
        (b"no features here\n", "lamp.uvl", "This is no UVL: line 1"),
        (b"\xff\xfe\x00", "lamp.uvl", "not UTF-8"),
        (LAMP, "lamp.txt", "ends in .uvl"),
    ],
)
def test_what_is_no_uvl_is_not_stored(logged_in, app, content, filename, message):
    assert message in upload(logged_in, content, filename).text
    with app.app_context():
        assert db.session.scalar(db.select(db.func.count(FeatureModel.id))) == 0


def test_a_file_of_more_than_a_megabyte_is_refused(logged_in):
    assert upload(logged_in, LAMP + b" " * 1024 * 1024).status_code == 413


def test_the_page_of_a_model_shows_its_tree_and_its_text(logged_in):
    page = logged_in.get(upload(logged_in).headers["Location"]).text
    assert '<span class="feature">Dimmer</span>' in page
    assert "features\n    Lamp\n        mandatory" in page
    assert "<code>Dimmer =&gt; Bulb</code>" in page


def test_a_model_that_does_not_exist_is_not_found(client):
    assert client.get("/featuremodel/1000000").status_code == 404


@pytest.mark.parametrize("file_is_there", [True, False])
def test_a_download_is_the_file_and_is_counted(logged_in, app, file_is_there):
    page = upload(logged_in).headers["Location"]
    if not file_is_there:
        os.remove(services.stored_path(hashlib.sha256(LAMP).hexdigest()))

    answer = logged_in.get(f"{page}/download")
    assert answer.data == LAMP
    assert "lamp.uvl" in answer.headers["Content-Disposition"]
    with app.app_context():
        assert db.session.scalar(db.select(db.func.count(Download.id))) == 1
    assert "1 download" in logged_in.get(page).text
