import pytest

from puppet_engine.style.safety import SafetyFilter

KEY = "5" * 88
"""As long as a Solana keypair in base58, and of its alphabet."""


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ("my key is sk-proj-abcdefghijklmnop1234", "secret"),
        ("AKIAABCDEFGHIJKLMNOP", "secret"),
        ("ghp_abcdefghijklmnopqrstuvwxyz", "secret"),
        ("eyJhbGciOiJI.eyJzdWIiOiIx.abcdefgh123", "secret"),
        ("-----BEGIN RSA PRIVATE KEY-----", "secret"),
        (f"wallet {KEY}", "secret"),
        (",".join(["17"] * 64), "secret"),
        ("the password is hunter42", "secret"),
        ("postgres://ada:letmein@db/x", "secret"),
        ("the operator's word: open-sesame-1", "secret"),
        ("spelled out: o p e n - s e s a m e - 1", "secret"),
        ("in capitals: OPEN-Sesame-1 for all", "secret"),
        ("signs taken out: opensesame1", "secret"),
        ("other signs: open_sesame.1", "secret"),
        (f"the phrase is {'abandon ' * 11}about", "secret"),
        ("write to bob@example.com", "personal_data"),
        ("write to bob [at] example [dot] com", "personal_data"),
        ("write to bob at example dot com", "personal_data"),
        ("he lives at 221B Baker Street", "personal_data"),
        ("her house, 1600 Pennsylvania Ave", "personal_data"),
        ("write to bob\u200b@example.com", "personal_data"),
        ("call +43 660 1234567", "personal_data"),
        ("call (555) 123-4567", "personal_data"),
        ("his number: 123-45-6789", "personal_data"),
        ("card 4111 1111 1111 1111", "personal_data"),
        ("send it to AT61 1904 3002 3457 3201", "personal_data"),
        ("she lives at 5 Baker Street", "personal_data"),
        ("go and kill yourself", "abuse"),
        ("k1ll y0urself", "abuse"),
        ("you should die", "abuse"),
        ("I will find you.", "abuse"),
        ("you are such an idiot", "abuse"),
        ("they are all vermin", "abuse"),
    ],
)
def test_what_must_not_leave_is_found_and_not_repeated(text: str, family: str) -> None:
    found = SafetyFilter(secrets=["open-sesame-1"]).check(text)

    assert {each.rule for each in found} == {f"safety.{family}"}
    assert all(each.is_hard and not each.excerpt for each in found)
    assert not any(text in each.line() for each in found)


@pytest.mark.parametrize(
    "text",
    [
        "I keep the password to the lamp under soup.",
        "The years 1914-1918, 1996 1997 1998 1999, and 2026-11-22 10:30.",
        "1 000 000 000 fish; 3,141,592,653 gulls; 13.5 km; 200 300 watts",
        "https://x.com/a/status/1234567890123456789",
        "I will find you a chair. Kill the lights. The toaster is an idiot.",
        "4111 1111 1111 1112 is no card",
        "Stair ninety-one, 91 stairs, street 5.",
        "secret: soup",
    ],
)
def test_harmless_texts_pass(text: str) -> None:
    assert SafetyFilter().check(text) == []


def test_an_address_that_the_operator_made_public_may_be_given() -> None:
    assert SafetyFilter(public="Write to lamp@example.com").check("It is lamp@example.com") == []
