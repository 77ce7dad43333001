def test_a_profile_wants_a_login(client):
    assert client.get("/profile").headers["Location"].startswith("/login?next=")


def test_a_profile_shows_who_it_is(logged_in):
    page = logged_in.get("/profile").text
    assert "Tess Ting" in page
    assert "test@example.com" in page
    assert "Nothing uploaded yet." in page
