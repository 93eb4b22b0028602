"""State in an S3 bucket, with conditional writes.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    IncompleteReadError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from accountpulse.core.errors import ConfigurationError, SourceUnavailable
from accountpulse.state.store import Blob

T = TypeVar("T")
READS = 3  # of one object
CUT_OFF = (IncompleteReadError, ReadTimeoutError, ResponseStreamingError)  # in the middle of an answer
LOST = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})  # somebody else was first
ABSENT = frozenset({"NoSuchKey", "404"})
REMEDIES = {
    "NoSuchBucket": "There is no such bucket: make it, or mend {setting}.",
    "AccessDenied": "Let our role get, put, delete and list the objects below what {setting} names.",
    "InvalidAccessKeyId": "The AWS credentials are not known: mend them.",
    "SignatureDoesNotMatch": "The AWS credentials don't fit: mend them.",
    "ExpiredToken": "The AWS credentials have ended: renew them.",
    "KeyTooLongError": "Set {setting} to a shorter prefix.",
    "InvalidBucketName": "That is no bucket's name: mend {setting}.",
    "PermanentRedirect": "The bucket lies in another region: set AWS_DEFAULT_REGION.",
}


class _Absent(Exception):
    """There is no such object."""


class _Lost(Exception):
    """The condition of a write is not met: somebody else was first."""


CONFIG = Config(retries={"mode": "standard", "total_max_attempts": 4}, connect_timeout=10, read_timeout=60)


class Bucket:
    """A store under a prefix of a bucket. Region, credentials and endpoint are AWS's own settings."""

    def __init__(self, bucket: str, prefix: str, setting: str = "ACCOUNTPULSE_STATE") -> None:
        """Nothing is sent here. `setting` names the bucket, for messages."""
        self._setting = setting
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self.place = f"s3://{bucket}/{prefix}"
        self._made: Any = None

    def read(self, name: str) -> Blob | None:
        """As Store says."""
        try:
            return self._do(name, partial(self._whole, name))
        except _Absent:
            return None

    def write(self, name: str, content: bytes) -> None:
        """As Store says."""
        kind = {"ContentType": "text/html; charset=utf-8"} if name.endswith(".html") else {}  # or a browser saves it
        self._do(name, lambda s3: s3.put_object(Bucket=self._bucket, Key=self._key(name), Body=content, **kind))

    def create(self, name: str, content: bytes) -> bool:
        """As Store says."""
        return self._put_if(name, content, IfNoneMatch="*")

    def swap(self, name: str, content: bytes, tag: str) -> bool:
        """As Store says."""
        return self._put_if(name, content, IfMatch=tag)

    def remove(self, name: str) -> None:
        """As Store says."""
        self._do(name, lambda s3: s3.delete_object(Bucket=self._bucket, Key=self._key(name)))

    def move(self, name: str, to: str) -> None:
        """As Store says: a copy, and then the name is taken away."""
        source = {"Bucket": self._bucket, "Key": self._key(name)}
        try:
            self._do(name, lambda s3: s3.copy_object(Bucket=self._bucket, Key=self._key(to), CopySource=source))
        except _Absent:
            return
        self.remove(name)

    def names(self, prefix: str = "") -> Iterator[str]:
        """As Store says."""

        def keys(s3: Any) -> list[str]:
            pages = s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._key(prefix))
            return [item["Key"] for page in pages for item in page.get("Contents", ())]

        found = (key.removeprefix(self._prefix) for key in self._do(prefix, keys))
        yield from sorted(name for name in found if not name.endswith("/"))  # such is what a console takes for a folder

    def sweep(self, prefix: str) -> None:
        """Nothing: an object is there whole, or it isn't there."""

    def _whole(self, name: str, s3: Any) -> Blob:
        """All of an object; one whose bytes break off is asked for again, since botocore repeats requests alone."""

        def read() -> Blob:
            answer = s3.get_object(Bucket=self._bucket, Key=self._key(name))
            return Blob(answer["Body"].read(), answer["ETag"])

        for _ in range(READS - 1):
            with suppress(*CUT_OFF):
                return read()
        return read()

    def _remedy(self, code: str) -> str:
        return REMEDIES[code].format(setting=self._setting)

    def _key(self, name: str) -> str:
        return self._prefix + name

    def _put_if(self, name: str, content: bytes, **condition: str) -> bool:
        try:
            self._do(
                name, lambda s3: s3.put_object(Bucket=self._bucket, Key=self._key(name), Body=content, **condition)
            )
        except (_Lost, _Absent):  # another one is there, or the one to swap is gone
            return False
        return True

    def _do(self, name: str, work: Callable[[Any], T]) -> T:
        """Do it; whatever goes wrong is one of our errors."""
        tried = f"{self.place.rstrip('/')}/{name}"
        try:
            if self._made is None:
                self._made = boto3.session.Session().client("s3", config=CONFIG)
            return work(self._made)
        except ClientError as error:
            code = str(error.response.get("Error", {}).get("Code", ""))
            if code in ABSENT:
                raise _Absent(name) from None
            if code in LOST:
                raise _Lost(name) from None
            if code in REMEDIES:
                raise ConfigurationError("state", [f"{tried} was refused ({code}). {self._remedy(code)}"]) from None
            raise SourceUnavailable("state", tried, code or type(error).__name__) from None
        except (NoCredentialsError, PartialCredentialsError):
            remedy = "set them in the environment or in a profile, or take a role that has them"
            raise ConfigurationError("state", [f"{tried}: there are no AWS credentials: {remedy}."]) from None
        except ParamValidationError:
            raise ConfigurationError("state", [f"{tried} is no name in S3: mend {self._setting}."]) from None
        except BotoCoreError as error:
            raise SourceUnavailable("state", tried, type(error).__name__) from None
