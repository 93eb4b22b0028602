"""What a Jira site does now and then."""

from dataclasses import dataclass


@dataclass
class JiraOddities:
    """What a site does now and then; a test or a benchmark sets it while the site runs."""

    cloud_page: int = 100  # what Cloud makes of a larger page size when it has to give several fields
    server_page: int = 100  # what this Data Center's administrator allows
    repeated_token: bool = False  # the token that was given comes back as the next one
    last_disagrees: bool = False  # isLast says the contrary of the token
    lost_token: bool = False  # a first page that is not the last says so, but names no next one
    shuffled: bool = False  # rows come in no order, whatever was asked
    histories: int | None = None  # how many changes Data Center's search shows of an issue; None: all
    refuses_histories: bool = False
    forget: int = 0  # raised: all walks are forgotten, as tokens that have expired
    count_error: float = 1.0  # what the estimate of approximate-count is multiplied by
    reported_zone: str | None = None  # what /myself says instead of the zone that dates in queries mean; "": nothing
