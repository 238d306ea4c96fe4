"""Files in a bucket of an S3-compatible store, which are there once they are whole. It has no locks."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pyarrow.fs import FileSelector, FileType, S3FileSystem

from collector.sinks import SinkError
from collector.sinks.address import read_address

if TYPE_CHECKING:
    from collections.abc import Iterator

_CONNECT_SECONDS = 5
_REQUEST_SECONDS = 60
# What stores answer to a login that they do not take, and to a bucket that they do not have.
_UNWELCOME = (
    *("ACCESS_DENIED", "INVALID_ACCESS_KEY_ID", "SIGNATURE_DOES_NOT_MATCH", "InvalidAccessKeyId"),
    *("SignatureDoesNotMatch", "AccessDenied", "INVALID_CLIENT_TOKEN_ID", "UNRECOGNIZED_CLIENT"),
)
_NOWHERE = ("NO_SUCH_BUCKET", "NoSuchBucket", "does not exist")


def open_bucket(to: str, endpoint: str, region: str, access_key: str, secret_key: str) -> Bucket:
    """Return the bucket and folder of s3://BUCKET/FOLDER; without keys the login is AWS's usual one.

    Raises SinkError.
    """
    parts = read_address(to, ("s3",))
    if not parts.netloc:
        raise SinkError("The target names no bucket: s3://BUCKET/FOLDER.")
    options: dict[str, Any] = {"region": region} if region else {}
    if endpoint:
        where = urlsplit(endpoint)
        if where.scheme not in {"http", "https"} or not where.netloc:
            raise SinkError("The endpoint is an http or https address.")
        options |= {"endpoint_override": where.netloc, "scheme": where.scheme}
    if access_key:
        options |= {"access_key": access_key, "secret_key": secret_key}
    system = S3FileSystem(
        connect_timeout=_CONNECT_SECONDS, request_timeout=_REQUEST_SECONDS, background_writes=False, **options
    )
    return Bucket(system, parts.netloc, f"{parts.netloc}{parts.path}".rstrip("/"))


class Bucket:
    """A folder of a bucket. Paths are relative to it. Everything raises OSError."""

    def __init__(self, system: Any, bucket: str, root: str) -> None:
        self._system = system
        self._bucket = bucket
        self._root = root

    @contextmanager
    def held(self) -> Iterator[None]:
        """See that the bucket is there and lets us in; other processes are not kept out. Raises SinkError."""
        try:
            there = self._system.get_file_info(self._bucket).type is not FileType.NotFound
        except OSError as error:
            if any(each in str(error) for each in _UNWELCOME):
                raise SinkError(f"The store does not let us into {self._bucket}: check the keys.") from None
            raise
        if not there:
            raise SinkError(f"There is no bucket {self._bucket}.")
        yield

    def list(self, folder: str = "") -> Iterator[str]:
        """Yield the paths of all files below a folder."""
        selector = FileSelector(f"{self._root}/{folder}", recursive=True, allow_not_found=True)
        for each in self._system.get_file_info(selector):
            if each.is_file:
                yield each.path.removeprefix(f"{self._root}/")

    def read(self, path: str) -> bytes:
        """Return what is in a file."""
        with self._system.open_input_file(f"{self._root}/{path}") as file:
            return bytes(file.read())

    def put(self, path: str, content: bytes) -> None:
        """Put a file in place, whole or not at all."""
        with self._system.open_output_stream(f"{self._root}/{path}") as file:
            file.write(content)

    def remove(self, path: str) -> None:
        """Remove a file."""
        self._system.delete_file(f"{self._root}/{path}")

    def __str__(self) -> str:
        return f"s3://{self._root}"
