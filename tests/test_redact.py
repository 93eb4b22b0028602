from accountpulse.redact import Redactor


def test_a_secret_that_begins_with_another_one_is_replaced_whole() -> None:
    assert Redactor(["token", "token-and-more"])("a token-and-more b token c") == "a ••• b ••• c"


def test_an_authorization_value_goes_even_if_nobody_told_us_the_secret() -> None:
    assert Redactor()("sent Authorization: Bearer abc.def-123456") == "sent Authorization: Bearer •••"


def test_ordinary_text_stays() -> None:
    assert Redactor(["", "abc"])("abc is a basic idea") == "abc is a basic idea"
