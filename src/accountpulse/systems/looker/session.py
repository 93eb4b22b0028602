"""Signed-in requests to Looker's API 4.0.

Looker's own client isn't used: it can only be loaded with the models of all its 537 methods, which takes a third of a
second of CPU, and what a run needs is one request to sign in and a header.

https://cloud.google.com/looker/docs/reference/looker-api/latest/methods/ApiAuth/login
"""

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import requests

from accountpulse.core.secret import learn_tokens
from accountpulse.http import requests_adapter
from accountpulse.http.bodies import MOST_ROWS
from accountpulse.http.budget import RequestBudget
from accountpulse.systems.looker import wire
from accountpulse.systems.looker.rows import BrokenText, ResultRows
from accountpulse.systems.looker.settings import LookerAccess

EARLY = 10  # seconds before its end that a token is no longer used
LONGEST = 366 * 86_400.0  # seconds; a token's life that is no such number is none
_TOKEN = msgspec.json.Decoder(wire.TokenAnswer)


class NotOk(Exception):
    """Looker's answer is no success, or no token: the adapter knows its status and path."""


class Adapter(requests_adapter.RetryingAdapter):
    """Our adapter, which also takes rows apart while they arrive, and remembers what was answered."""

    begin: Callable[[], ResultRows] | None = None  # what takes the rows of the next answer
    rows: ResultRows | None = None
    seconds = requests_adapter.TOTAL  # that rows may take in all
    status = 0
    path = ""
    is_lookers = True  # whether the answer is a JSON object, as all of Looker's errors are

    def read(self, answer: requests.Response) -> None:
        """The body; that of rows goes to `rows` and leaves none. A repeated request starts anew."""
        self.status, self.path = answer.status_code, answer.request.path_url
        if self.begin is None or answer.status_code != 200 or "/run/" not in self.path:
            super().read(answer)
            if self.path.endswith("/login"):
                learn_tokens(answer.text)
            self.is_lookers = answer.content.lstrip().startswith(b"{")
            return
        self.rows = self.begin()
        try:
            for piece in self.pieces(answer, self.seconds, MOST_ROWS):
                self.rows.feed(piece)
            self.rows.close()
        except BrokenText:  # may pass: to be asked for again
            raise requests.exceptions.InvalidJSONError from None
        requests_adapter.keep(answer, b"")


class LookerSession:
    """Signs in before the first request, and anew when the token ends; NotOk for an answer that is no success."""

    def __init__(
        self,
        access: LookerAccess,
        budget: RequestBudget,
        ca_bundle: Path | None,
        seconds: int,
        sleep: Callable[[float], None],
    ) -> None:
        """Nothing is sent yet. `seconds`: how long an answer may stay away."""
        self.adapter = Adapter("looker", budget, ca_bundle, sleep)
        self.adapter.seconds = max(requests_adapter.TOTAL, seconds)
        self.token: str | None = None
        self._ends = 0.0
        self._access = access
        self._seconds = seconds
        self._base = f"{access.base_url}/api/4.0"
        self._http = requests_adapter.session_of(self.adapter)

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> bytes:
        """The body of an address."""
        return self._signed("GET", path, params=params)

    def post(self, path: str, params: Mapping[str, Any], body: Mapping[str, Any]) -> bytes:
        """The body of the answer to one sent as JSON."""
        headers = {"Content-Type": "application/json"}
        return self._signed("POST", path, params=params, data=msgspec.json.encode(body), headers=headers)

    def forget_token(self) -> None:
        """The next request signs in anew."""
        self._ends = 0.0

    def _signed(self, method: str, path: str, headers: Mapping[str, str] | None = None, **options: Any) -> bytes:
        if time.monotonic() >= self._ends:
            self._sign_in()
        return self._send(method, path, {**(headers or {}), "Authorization": f"Bearer {self.token or ''}"}, **options)

    def _sign_in(self) -> None:
        self.token = None
        form = {
            "client_id": self._access.client_id.reveal(),
            "client_secret": self._access.client_secret.reveal(),
        }
        text = self._send("POST", "/login", {}, data=form)
        try:
            answer = _TOKEN.decode(text)
        except (msgspec.DecodeError, RecursionError):
            raise NotOk from None
        seconds = answer.expires_in or 0.0
        if not answer.access_token or not 0 <= seconds <= LONGEST:
            raise NotOk
        self.token, self._ends = answer.access_token, time.monotonic() + seconds - EARLY

    def _send(self, method: str, path: str, headers: Mapping[str, str], **options: Any) -> bytes:
        answer = self._http.request(method, self._base + path, headers=headers, timeout=self._seconds, **options)
        if not answer.ok:
            raise NotOk
        return answer.content
