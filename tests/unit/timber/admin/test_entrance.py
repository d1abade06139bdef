"""Who gets in, and what strangers' pages can do."""

import pytest
from tests.unit.timber.admin.conftest import PASSWORD, OpenSite, Visitor


def test_nobody_sees_a_row_without_the_password(open_site: OpenSite) -> None:
    visitor = open_site()
    visitor.add("Author", name="Ada")

    for path in ("/", "/Author/list", "/_api/Author/relation-lookup", "/Author/create"):
        answer = visitor.client.get(path, follow_redirects=False)

        assert answer.status_code == 303
        assert "/login" in answer.headers["location"]
        assert "Ada" not in answer.text


def test_the_password_lets_in_and_logging_out_ends_the_session(open_site: OpenSite) -> None:
    visitor = open_site()

    assert visitor.log_in().url.path == "/"
    cookie = visitor.client.cookies["timber_admin_session"]
    visitor.post("/logout")
    visitor.client.cookies.set("timber_admin_session", cookie)

    assert visitor.get("/").url.path == "/login"


def test_a_wrong_password_does_not_let_in(open_site: OpenSite) -> None:
    visitor = open_site()

    answer = visitor.log_in("guess")

    assert answer.status_code == 400
    assert "Wrong password" in answer.text
    assert visitor.get("/").url.path == "/login"


def test_after_five_wrong_guesses_even_the_right_one_waits_a_minute(open_site: OpenSite) -> None:
    visitor = open_site()
    for number in range(5):
        visitor.log_in(f"guess {number}")

    too_soon = visitor.log_in(PASSWORD)
    visitor.clock.pass_by(61)
    later = visitor.log_in(PASSWORD)

    assert too_soon.status_code == 429
    assert too_soon.headers["retry-after"] == "60"
    assert later.url.path == "/"


def test_a_session_ends_after_eight_hours(visitor: Visitor) -> None:
    visitor.clock.pass_by(8 * 3600 + 1)

    assert visitor.get("/").url.path == "/login"


def test_a_forged_session_is_none(open_site: OpenSite) -> None:
    visitor = open_site()

    visitor.client.cookies.set("timber_admin_session", "made-up.signature")

    assert visitor.get("/").url.path == "/login"


def test_cookies_stay_on_this_site_and_the_session_out_of_scripts(open_site: OpenSite) -> None:
    visitor = open_site()
    token = visitor.get("/login").headers["set-cookie"]

    answer = visitor.client.post(
        "/login",
        data={
            "password": PASSWORD,
            "csrftoken": visitor.client.cookies["starlette_admin_csrftoken"],
        },
        follow_redirects=False,
    )
    [session] = [
        cookie
        for cookie in answer.headers.get_list("set-cookie")
        if cookie.startswith("timber_admin_session")
    ]

    assert "httponly" in session.lower()
    assert "samesite=strict" in session.lower()
    assert "samesite=strict" in token.lower()


def test_a_change_without_the_token_of_the_form_is_refused(visitor: Visitor) -> None:
    answer = visitor.client.post("/Subject/create", data={"label": "maths"})

    assert answer.status_code == 403
    assert "maths" not in visitor.get("/Subject/list").text


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}],
    ids=["origin", "fetch metadata", "opaque origin"],
)
def test_a_change_from_a_foreign_page_is_refused(
    visitor: Visitor, headers: dict[str, str]
) -> None:
    visitor.headers = headers

    assert visitor.post("/Subject/create", {"label": "maths"}).status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1@evil.example", "", "[::1"])
def test_a_name_that_was_made_to_point_here_is_not_served(visitor: Visitor, host: str) -> None:
    assert visitor.client.get("/login", headers={"Host": host}).status_code == 403


def test_a_form_that_is_too_large_is_refused_unread(visitor: Visitor) -> None:
    visitor.headers = {"Content-Length": str(2**30)}

    assert visitor.post("/Subject/create", {"label": "maths"}).status_code == 413


def test_only_scripts_of_the_site_with_the_nonce_of_the_page_run(visitor: Visitor) -> None:
    page = visitor.get("/Author/list")
    policy = page.headers["content-security-policy"]
    nonce = policy.partition("'nonce-")[2].partition("'")[0]

    scripts = page.text.count("<script")
    assert scripts > 5
    assert (
        page.text.count(f'<script nonce="{nonce}"') + page.text.count(f'nonce="{nonce}"></script>')
        == scripts
    )
    assert nonce not in visitor.get("/Author/list").headers["content-security-policy"]
    assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]


def test_no_page_names_another_server(visitor: Visitor) -> None:
    author = visitor.add("Author", name="Ada")
    pages = ["/", "/Author/list", "/Book/create", f"/Author/detail?pk={author}"]

    for path in [*pages, f"/Author/edit?pk={author}"]:
        text = visitor.get(path).text.replace("http://127.0.0.1", "")
        assert "https://" not in text
        assert "http://" not in text.replace("http://www.w3.org/", "").replace(
            "http://tabler-icons.io/i/search", ""
        )


def test_a_redirect_after_login_stays_on_the_site(open_site: OpenSite) -> None:
    visitor = open_site()
    visitor.get("/login")

    answer = visitor.client.post(
        "/login?next=//evil.example/",
        data={
            "password": PASSWORD,
            "csrftoken": visitor.client.cookies["starlette_admin_csrftoken"],
        },
        follow_redirects=False,
    )

    assert "evil" not in answer.headers["location"]
