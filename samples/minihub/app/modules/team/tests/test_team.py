import os

from app import create_app


def test_the_team_has_a_page(client):
    assert "UvlhubAspire" in client.get("/team").text


def test_an_ignored_module_is_not_there(app, monkeypatch, tmp_path):
    (tmp_path / "app").symlink_to(os.path.abspath("app"))
    (tmp_path / ".moduleignore").write_text("team\n")
    monkeypatch.setenv("WORKING_DIR", f"{tmp_path}/")

    client = create_app("testing").test_client()
    assert client.get("/team").status_code == 404
    page = client.get("/")
    assert page.status_code == 200
    assert 'href="/team"' not in page.text
