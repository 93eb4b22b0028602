"""What headers tell: examples from the vendors' pages, and headers that tell nothing."""

from datetime import UTC, datetime

import pytest

from accountpulse.http.rate_headers import RateAllowance, read_allowance

NOW = datetime(2026, 11, 1, 12, 0, 3, tzinfo=UTC)
CLOUD = {  # as a site sent it with an ordinary answer
    "X-RateLimit-Limit": "350",
    "X-RateLimit-Remaining": "348",
    "RateLimit-Policy": '"jira-burst-based";q=100;w=1',
    "RateLimit": '"jira-burst-based";r=348;t=1',
}
DATA_CENTER = {
    "X-RateLimit-Limit": "50",
    "X-RateLimit-Remaining": "7",
    "X-RateLimit-FillRate": "10",
    "X-RateLimit-Interval-Seconds": "60",
}


def test_intercom_tells_what_a_window_leaves_and_when_it_ends() -> None:
    headers = {
        "X-RateLimit-Limit": "1667",
        "X-RateLimit-Remaining": "1000",
        "X-RateLimit-Reset": str(int(NOW.timestamp()) + 7),
    }
    assert read_allowance(headers, NOW) == RateAllowance(1000, 1667, 1667, 7, exact=True)


def test_data_center_tells_its_bucket() -> None:
    assert read_allowance(DATA_CENTER, NOW) == RateAllowance(7, 10, 50, 60, exact=False)


def test_cloud_tells_its_bucket_in_the_structured_headers_its_size_beside_them() -> None:
    assert read_allowance(CLOUD, NOW) == RateAllowance(348, 100, 350, 1, exact=False)


def test_the_hourly_quota_of_apps_is_not_paced_by_but_the_burst_limit_beside_it() -> None:
    headers = {
        "RateLimit-Policy": '"global-app-quota";q=65000;w=3600, "jira-burst-based";q=100;w=1',
        "RateLimit": '"global-app-quota";r=3;t=200,"jira-burst-based";r=90;t=1',
    }
    assert read_allowance(headers, NOW) == RateAllowance(90, 100, 100, 1, exact=False)


def test_of_two_limits_the_scarcer_counts() -> None:
    headers = {"RateLimit-Policy": '"a";q=100;w=1,"b";q=600;w=60', "RateLimit": '"a";r=90;t=1,"b";r=20;t=9'}
    assert read_allowance(headers, NOW) == RateAllowance(20, 600, 600, 9, exact=True, vague=1)


def test_the_seconds_until_more_come_say_nothing_where_they_are_the_whole_window() -> None:
    headers = {"RateLimit-Policy": '"a";q=600;w=60', "RateLimit": '"a";r=20;t=60'}
    assert read_allowance(headers, NOW) == RateAllowance(20, 600, 600, 60, exact=False)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-RateLimit-Limit": "350", "X-RateLimit-Remaining": "3"},  # no word on when more comes
        {**DATA_CENTER, "X-RateLimit-Interval-Seconds": "3600"},
        {**DATA_CENTER, "X-RateLimit-FillRate": "0"},
        {"RateLimit-Policy": '"global-app-quota";q=65000;w=3600', "RateLimit": '"global-app-quota";r=3;t=200'},
        {"RateLimit-Policy": '"jira-burst-based";q=100;w=1', "RateLimit": '"jira-burst-based";t=1'},
        {"Beta-RateLimit-Policy": '"jira-burst-based";q=100;w=1', "Beta-RateLimit": '"jira-burst-based";r=3;t=1'},
        {"RateLimit-Policy": "100;w=1", "RateLimit": "limit=100, remaining=3, reset=1"},
        {"RateLimit-Policy": '"a";q=x;w=1', "RateLimit": '"a";r=²;t=1'},
    ],
)
def test_headers_that_say_too_little_tell_nothing(headers: dict[str, str]) -> None:
    assert read_allowance(headers, NOW) is None
