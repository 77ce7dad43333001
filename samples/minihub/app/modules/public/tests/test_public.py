import pytest

from app import create_app, db
from core.seeding import seed


@pytest.fixture
def seeded(app, client):
    with app.app_context():
        list(seed())
    return client


def test_an_empty_hub_says_how_to_fill_it(client):
    assert "rosemary db:seed" in client.get("/").text


def test_the_name_of_the_application_is_in_the_title(client, monkeypatch):
    monkeypatch.setenv("FLASK_APP_NAME", "Another Hub")
    assert "Another Hub</title>" in client.get("/").text


def test_the_first_page_lists_the_seeded_models(seeded):
    page = seeded.get("/").text
    assert page.count('class="card"') == 6
    assert "Coffee machine" in page


@pytest.mark.parametrize(
    ("address", "titles"),
    [
        ("/?q=coffee", {"Coffee machine"}),
        ("/?q=LoRa", {"Weather station"}),
        ("/?tag=web", {"Online library"}),
        ("/?q=%25", set()),
    ],
)
def test_the_list_can_be_narrowed(seeded, address, titles):
    page = seeded.get(address).text
    everything = {"Coffee machine", "Bike computer", "Online library", "Weather station", "Smart lock", "Text editor"}
    assert {title for title in everything if f">{title}</a>" in page} == titles


def test_older_models_are_on_the_next_page(seeded, monkeypatch):
    monkeypatch.setattr("app.modules.featuremodel.services.PAGE_SIZE", 4)
    assert seeded.get("/").text.count('class="card"') == 4
    assert "page 2 of 2" in seeded.get("/?page=2").text
    assert seeded.get("/?page=2").text.count('class="card"') == 2


def test_without_a_database_there_is_no_first_page(monkeypatch):
    monkeypatch.setenv("MARIADB_PORT", "1")
    answer = create_app("testing").test_client().get("/")
    assert answer.status_code == 503
    assert "The database does not answer" in answer.text


def test_an_unknown_page_is_not_found(client):
    answer = client.get("/nowhere")
    assert answer.status_code == 404
    assert "Nothing here" in answer.text


def test_seeding_twice_adds_nothing(seeded, app):
    from sqlalchemy.exc import IntegrityError

    with app.app_context():
        with pytest.raises(IntegrityError):
            list(seed())
        assert db.session.scalar(db.text("SELECT COUNT(*) FROM feature_model")) == 6
