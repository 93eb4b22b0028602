"""The one error of the query language."""


class SoqlError(Exception):
    """A query that Salesforce would refuse, with the error code that it would send."""

    def __init__(self, code: str, message: str) -> None:
        """`code` is Salesforce's, such as MALFORMED_QUERY; `message` is for the person who wrote the query."""
        self.code = code
        self.message = message
        super().__init__(f"{code}: {message}")


def malformed(message: str) -> SoqlError:
    """The text is no query."""
    return SoqlError("MALFORMED_QUERY", message)


def unsupported(what: str) -> SoqlError:
    """Right in Salesforce, perhaps, but not known here."""
    return malformed(f"{what} is not supported by the sandbox")
