"""Errors as Intercom words them."""

from starlette.responses import JSONResponse, Response


class BadRequest(Exception):
    """Something to answer with 400."""


def error(status: int, code: str, message: str) -> Response:
    """An error's list, with its one member."""
    body = {"type": "error.list", "request_id": "sandbox", "errors": [{"code": code, "message": message}]}
    return JSONResponse(body, status)
