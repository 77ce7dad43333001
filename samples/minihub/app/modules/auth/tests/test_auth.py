import pytest

from app import db
from app.modules.auth.models import User

NEW = {"name": "Nia", "surname": "Okoro", "email": "Nia@Example.com", "password": "secret"}


def test_the_password_is_not_stored(app):
    with app.app_context():
        user = User.by_email("test@example.com")
        assert "test1234" not in user.password_hash
        assert user.check_password("test1234")
        assert not user.check_password("test12345")


def test_signing_up_logs_in(client, app):
    page = client.post("/signup", data=NEW, follow_redirects=True).text
    assert "Welcome, Nia." in page
    assert "Nia Okoro" in page
    with app.app_context():
        assert db.session.scalar(db.select(db.func.count(User.id))) == 2


def test_an_address_signs_up_once(client, app):
    answer = client.post("/signup", data=NEW | {"email": "TEST@example.com"})
    assert "has an account already" in answer.text
    with app.app_context():
        assert db.session.scalar(db.select(db.func.count(User.id))) == 1


@pytest.mark.parametrize("field", NEW)
def test_nothing_of_the_form_may_be_left_out(client, field):
    answer = client.post("/signup", data=NEW | {field: ""})
    assert "field-error" in answer.text


def test_logging_in_takes_the_right_password(client):
    answer = client.post("/login", data={"email": "test@example.com", "password": "wrong"})
    assert answer.status_code == 200
    assert "E-mail or password is wrong." in answer.text
    assert "Log out" not in client.get("/").text


def test_logging_out_ends_it(logged_in):
    assert "Log out" in logged_in.get("/").text
    logged_in.get("/logout")
    assert "Log out" not in logged_in.get("/").text


@pytest.mark.parametrize(
    ("target", "expected"),
    [("/profile", "/profile"), ("https://example.org/", "/"), ("//example.org/", "/"), ("/\\example.org", "/"), ("", "/")],
)
def test_after_logging_in_one_stays_on_this_site(client, target, expected):
    answer = client.post(
        "/login", query_string={"next": target}, data={"email": "test@example.com", "password": "test1234"}
    )
    assert answer.headers["Location"] == expected
