"""What can go wrong, sorted by what the reader can do next.

A message says what was tried, what came back and what to do. It names a setting, never its value, and never
carries a response body, a query or a header.
"""


class AccountpulseError(Exception):
    """Root of all our errors; `exit_code` is what the command line ends with."""

    exit_code = 1


class UsageError(AccountpulseError):
    """The command or a file given to it is wrong: call again, corrected."""

    exit_code = 2


class ConfigurationError(AccountpulseError):
    """Settings, mapping or scorecard are wrong: mend the file. Holds every problem found, not the first."""

    exit_code = 3

    def __init__(self, subject: str, problems: list[str]) -> None:
        """`subject` names the file or setting, `problems` are one line each."""
        self.subject = subject
        self.problems = problems
        super().__init__("\n".join([f"{subject}:", *(f"  - {problem}" for problem in problems)]))


class AccessError(AccountpulseError):
    """A system refused us: mend the credential or the permission it names. Never retried."""

    exit_code = 3

    def __init__(self, source: str, tried: str, answer: str, remedy: str) -> None:
        """`tried` is what we asked for, `answer` what came back in short, `remedy` what the reader can do."""
        self.source = source
        super().__init__(f"{source}: {tried} was refused ({answer}). {remedy}")


class SourceUnavailable(AccountpulseError):
    """A system did not answer, or not in a way that we know: try later, or look at its status page."""

    exit_code = 5

    def __init__(self, source: str, tried: str, answer: str, remedy: str = "Try again later.") -> None:
        """As for AccessError."""
        self.source = source
        super().__init__(f"{source}: {tried} failed ({answer}). {remedy}")


class Unanswered(SourceUnavailable):
    """Nobody answered at a system's address: it is down, or the address or the way to it is wrong."""


class UnexpectedAnswer(SourceUnavailable):
    """A system answered in a shape that we do not know: the answer must not be taken for data."""


class OutOfTime(SourceUnavailable):
    """The run's own deadline came first: run again, it goes on where it stopped."""

    def __init__(self, source: str) -> None:
        """`source` was being read or written."""
        remedy = "Run the same command again: it goes on from there."
        super().__init__(source, "going on before the deadline", "no time left", remedy)


class Stopped(AccountpulseError):
    """A run was told to stop, by a signal: run again, it goes on where it stopped."""

    exit_code = 5

    def __init__(self, signal: str) -> None:
        """`signal` is its name, such as SIGTERM."""
        super().__init__(
            f"stopped by {signal}. Run the same command again: unless it is a dry run, it goes on from there."
        )


class AlreadyRunning(AccountpulseError):
    """Another run holds this period: wait for it."""

    exit_code = 6
