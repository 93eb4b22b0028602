"""Where people see an account in each system: the usual address, one of the company's own, and none."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from accountpulse.core.errors import ConfigurationError
from accountpulse.core.secret import Secret
from accountpulse.core.web_links import filled
from accountpulse.core.yaml_files import parse
from accountpulse.core.yaml_structs import read
from accountpulse.settings import AccountpulseYaml
from accountpulse.systems import SYSTEMS
from accountpulse.systems.intercom.address import link_notes
from accountpulse.systems.intercom.settings import IntercomAccess
from accountpulse.systems.jira.settings import JiraAccess
from accountpulse.systems.looker.settings import LookerAccess
from accountpulse.systems.salesforce.settings import SalesforceAccess

ACCOUNT = "001000000000001AAA"
WORD = Secret("a word that nobody needs")
JIRA = JiraAccess("https://acme.atlassian.net", "bot@acme.example", WORD)


def mapping(text: str) -> Any:
    return read(parse(text, "accountpulse.yaml"), AccountpulseYaml)


def urls(name: str, access: Any, text: str = "", *keys: str) -> list[str]:
    """The addresses of an account with these keys."""
    link_to = SYSTEMS[name].link_to
    assert link_to is not None
    address = link_to(access, mapping(text).block(name))
    return [] if address is None else [filled(address.template, {"id": ACCOUNT, **v}) for v in address.values(keys)]


def intercom(region: str = "") -> IntercomAccess:
    return IntercomAccess(WORD, f"https://api.{region}intercom.io", "2.16")


def test_salesforce_shows_the_account_in_the_org_that_signing_in_named() -> None:
    access = SalesforceAccess("https://login.salesforce.com", "66.0")
    assert urls("salesforce", access, "", ACCOUNT) == []  # all orgs sign in there
    access.sessions.append(("a session", "https://acme.my.salesforce.com"))
    page = f"https://acme.my.salesforce.com/lightning/r/Account/{ACCOUNT}/view"
    assert urls("salesforce", access, "", ACCOUNT) == [page]
    own = SalesforceAccess("https://acme.my.salesforce.com", "66.0")
    assert urls("salesforce", own, "", ACCOUNT) == [page]


def test_intercom_shows_the_company_in_the_pages_of_its_region() -> None:
    company, block = "6329bd9ffe4e2e91dac76188", "intercom: {workspace: abc12}"
    assert urls("intercom", intercom(), block, company) == [
        f"https://app.intercom.com/a/apps/abc12/companies/{company}"
    ]
    assert urls("intercom", intercom("eu."), block, company)[0].startswith("https://app.eu.intercom.com/a/apps/")
    assert urls("intercom", intercom(), "", company) == []
    # the pages know companies by Intercom's own ids alone
    other = "intercom: {workspace: abc12, holds: company_id}"
    assert urls("intercom", intercom(), other, "4711") == []
    (note,) = link_notes(mapping(other).intercom)
    assert note.startswith(
        "intercom.workspace makes no links: the accounts' key is not Intercom's own id. Write account_"
    )
    for silent in (
        block,
        "intercom: {holds: company_id}",
        "intercom: {workspace: a, holds: company_id, account_url: off}",
    ):
        assert list(link_notes(mapping(silent).intercom)) == []


def test_jira_searches_for_the_bugs_of_all_keys_and_quotes_each() -> None:
    text = 'jira: {link: component, projects: [APP], bug_types: [Bug, "Customer \\"bug\\""]}'
    (url,) = urls("jira", JIRA, text, "Acme", 'O"Neil & Co\\')
    assert url.startswith("https://acme.atlassian.net/issues/?jql=")
    (jql,) = parse_qs(urlsplit(url).query)["jql"]
    assert jql == (
        'project in ("APP") AND component in ("Acme", "O\\"Neil & Co\\\\") '
        'AND issuetype in ("Bug", "Customer \\"bug\\"")'
    )


@pytest.mark.parametrize(
    ("link", "key", "clause"),
    [
        ("project", "ACME", 'project in ("ACME")'),
        ("label", "acme", 'labels in ("acme")'),
        ("organization", "Acme", 'organizations in ("Acme")'),
        ("jql", "labels = acme OR text ~ acme", "((labels = acme OR text ~ acme))"),
    ],
)
def test_jira_searches_by_what_links_an_account(link: str, key: str, clause: str) -> None:
    (url,) = urls("jira", JIRA, f"jira: {{link: {link}}}", key)
    assert parse_qs(urlsplit(url).query)["jql"] == [f'{clause} AND issuetype in ("Bug")']


def test_jira_has_no_address_for_people_behind_the_gateway_nor_for_a_field_of_unknown_kind() -> None:
    gateway = JiraAccess("https://api.atlassian.com/ex/jira/11-22", "bot@acme.example", WORD)
    assert urls("jira", gateway, "", "Acme") == []
    field = "link: field, field: customfield_10234"
    assert urls("jira", JIRA, f"jira: {{{field}}}", "Acme") == []
    own = f"jira: {{{field}, account_url: 'https://acme.atlassian.net/issues/?jql=cf[10234]~{{quoted}}'}}"
    assert urls("jira", gateway, own, "Acme", 'a"b') == [
        "https://acme.atlassian.net/issues/?jql=cf[10234]~%22Acme%22",
        "https://acme.atlassian.net/issues/?jql=cf[10234]~%22a%5C%22b%22",
    ]


@pytest.mark.parametrize(
    ("name", "access"),
    [
        ("salesforce", SalesforceAccess("https://acme.my.salesforce.com", "66.0")),
        ("intercom", intercom()),
        ("jira", JIRA),
        ("looker", LookerAccess("https://acme.cloud.looker.com", WORD, WORD)),
    ],
)
def test_a_template_of_the_companys_own_comes_first_and_off_means_none(name: str, access: Any) -> None:
    own = f"{name}: {{account_url: 'https://looks.example/42?f[a.id]={{key}}&by={{id}}'}}"
    assert urls(name, access, own, "A&B") == [f"https://looks.example/42?f[a.id]=A%26B&by={ACCOUNT}"]
    for word in ("off", "false", "'off'"):
        assert urls(name, access, f"{name}: {{account_url: {word}}}", "A") == []


def test_looker_has_none_of_its_own_since_nobody_knows_which_look_shows_an_account() -> None:
    assert urls("looker", LookerAccess("https://acme.cloud.looker.com", WORD, WORD), "", "A") == []


def test_a_template_that_leads_nowhere_is_a_mistake_of_the_file() -> None:
    with pytest.raises(ConfigurationError, match=r"looker\.account_url: leads to one place for all accounts"):
        mapping("looker: {account_url: 'https://acme.cloud.looker.com/looks/42'}")
    for word in ("Off", ""):
        with pytest.raises(ConfigurationError, match=r"account_url: .*; or write off for no links"):
            mapping(f"intercom: {{account_url: '{word}'}}")
