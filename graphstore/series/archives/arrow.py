"""Sealed files on S3 (pyarrow's own client) and on every other file system with an fsspec handler."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult

import pyarrow as pa
from pyarrow import fs

from ....errors import InputError, StoreError
from .archive import missing

_S3_OPTIONS: Final = ("endpoint_override", "region", "scheme")
_SECRET: Final = ("key", "secret", "token", "password")
_SECONDS: Final = 20.0


class FileSystemArchive:
    """Files below ``root`` of a file system, which is connected on first use."""

    def __init__(self, address: str, root: str, connect: Callable[[], fs.FileSystem], *, renames: bool) -> None:
        self.address = address
        self._root = root.rstrip("/")
        self._connect = connect
        self._renames = renames

    @cached_property
    def _files(self) -> fs.FileSystem:
        return self._try("cannot be reached", self._connect)

    def _at(self, name: str) -> str:
        return f"{self._root}/{name}"

    def _try(self, what: str, do: Callable[[], Any]) -> Any:
        try:
            return do()
        except FileNotFoundError:
            raise
        except (OSError, ImportError, ValueError, pa.ArrowException) as error:
            raise StoreError(f"{self.address}: {what}: {explain(error)}") from error

    def put(self, name: str, data: bytes) -> None:
        """Objects appear when they are complete; on file systems a file is written under another name and renamed."""
        files, target = self._files, self._at(name)
        beside = target + ".partial" if self._renames else target

        def write() -> None:
            if self._renames:
                files.create_dir(target.rpartition("/")[0], recursive=True)
            with files.open_output_stream(beside) as out:
                out.write(data)
            if self._renames:
                files.move(beside, target)

        try:
            self._try(f"{name} cannot be written", write)
        except FileNotFoundError as error:
            raise StoreError(f"{self.address}: {name} cannot be written: the place does not exist: {error}") from error

    def get(self, name: str) -> bytes:
        """The content of a file."""
        files = self._files

        def read() -> bytes:
            with files.open_input_stream(self._at(name)) as file:
                return bytes(file.read())

        try:
            return bytes(self._try(f"{name} cannot be read", read))
        except FileNotFoundError as error:
            raise missing(self.address, name) from error

    def delete(self, name: str) -> None:
        """Delete a file."""
        files = self._files
        try:
            self._try(f"{name} cannot be deleted", lambda: files.delete_file(self._at(name)))
        except FileNotFoundError:
            return

    def names(self) -> Iterator[str]:
        """Every file below the root."""
        files = self._files
        selector = fs.FileSelector(self._root, recursive=True, allow_not_found=True)
        found = self._try("cannot be listed", lambda: files.get_file_info(selector))
        return (item.path.removeprefix(self._root).lstrip("/") for item in found if item.type == fs.FileType.File)

    def path(self, name: str) -> Path | None:
        """None: the files are on no local disk."""
        return None

    def close(self) -> None:
        """Drop the file system, which closes its connections."""
        self.__dict__.pop("_files", None)


def open_file_system(address: SplitResult, options: Mapping[str, str]) -> FileSystemArchive:
    """The archive behind an address with a scheme. Raises InputError."""
    plain = f"{address.scheme}://{address.netloc}{address.path}"
    if address.scheme == "s3":
        return _s3(plain, f"{address.netloc}{address.path}", options)
    if any(secret in name.lower() for name in options for secret in _SECRET):
        raise InputError(f"archive {plain}: contains credentials; set them in the environment or in fsspec's own files")
    import fsspec
    from fsspec.core import url_to_fs

    if address.scheme not in fsspec.available_protocols():
        raise InputError(f"archive {plain}: there is no file system {address.scheme!r}; use one that fsspec supports")
    root: str = fsspec.get_filesystem_class(address.scheme)._strip_protocol(plain)

    def connect() -> fs.FileSystem:
        return fs.PyFileSystem(fs.FSSpecHandler(url_to_fs(plain, **options)[0]))

    return FileSystemArchive(plain, root, connect, renames=True)


def _s3(plain: str, root: str, options: Mapping[str, str]) -> FileSystemArchive:
    unknown = sorted(options.keys() - set(_S3_OPTIONS))
    if unknown:
        raise InputError(
            f"archive {plain}: option {', '.join(unknown)} is unknown; there are {', '.join(_S3_OPTIONS)}. "
            "Keys are read from the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY"
        )
    if not root.partition("/")[0]:
        raise InputError(f"archive {plain}: names no bucket; write s3://bucket/prefix")

    def connect() -> fs.FileSystem:
        return fs.S3FileSystem(
            **options,
            request_timeout=_SECONDS,
            connect_timeout=_SECONDS,
            retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=3),
        )

    return FileSystemArchive(plain, root, connect, renames=False)


def explain(error: BaseException) -> str:
    """The error of a service with its remedy, if it is a known one."""
    text = str(error) or type(error).__name__
    # The client and the service spell AWS's codes differently.
    plain = text.replace("_", "").lower()
    if any(
        mark in plain for mark in ("accessdenied", "invalidaccesskeyid", "signaturedoesnotmatch", "http status 403")
    ):
        return f"access is refused; check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and the bucket's policy ({text})"
    if "nosuchbucket" in plain:
        return f"there is no such bucket; create it first ({text})"
    return text
