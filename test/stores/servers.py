"""Real object stores on loopback, each in a process of its own, and a proxy that lets them fail."""

import json
import os
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

KEY, SECRET, BUCKET = "AKIDTEST", "SECRETTEST", "market"
READY_WITHIN_SECONDS = 60


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def client(port):
    return boto3.client(
        "s3",
        endpoint_url=f"http://127.0.0.1:{port}",
        aws_access_key_id=KEY,
        aws_secret_access_key=SECRET,
        region_name="us-east-1",
        config=Config(retries={"max_attempts": 0}, connect_timeout=2, read_timeout=10),
    )


def environment(port):
    """What a process needs to reach a store, and nothing else of the kind."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return clean | {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ALLOW_HTTP": "true",
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": "/nonexistent",
        "NO_PROXY": "127.0.0.1",
    }


def wait_until_ready(port, process):
    store, deadline = client(port), time.monotonic() + READY_WITHIN_SECONDS
    while True:
        try:
            store.create_bucket(Bucket=BUCKET)
            # A volume has to be found for the first object.
            store.put_object(Bucket=BUCKET, Key="ready", Body=b"1")
            return
        except ClientError as error:
            if error.response["Error"]["Code"] in ("BucketAlreadyOwnedByYou", "BucketAlreadyExists"):
                pass
            reason = error
        except BotoCoreError as error:
            reason = error
        if process.poll() is not None or time.monotonic() > deadline:
            sys.exit(f"the store at port {port} did not come up: {reason}")
        time.sleep(0.3)


@contextmanager
def running(command, port, log):
    with open(log, "w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)
    try:
        wait_until_ready(port, process)
        yield port
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def seaweed(directory):
    """SeaweedFS: a server of its own kind, in one program."""
    directory = Path(directory)
    (directory / "data").mkdir()
    identity = {"name": "t", "credentials": [{"accessKey": KEY, "secretKey": SECRET}], "actions": ["Admin"]}
    (directory / "s3.json").write_text(json.dumps({"identities": [identity]}))
    port = free_port()
    command = [str(Path(sys.executable).parent / "weed"), "server", f"-dir={directory / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1"]
    command += ["-s3", f"-s3.port={port}", f"-s3.config={directory / 's3.json'}", "-master.volumeSizeLimitMB=64", "-volume.max=50"]
    for server in ["master", "volume", "filer"]:
        # The port for the other protocol follows 10,000 after the first, unless it is given.
        command += [f"-{server}.port={free_port()}", f"-{server}.port.grpc={free_port()}"]
    command += [f"-s3.port.grpc={free_port()}", "-s3.port.iceberg=0", "-s3.port.lance=0"]
    return running(command, port, directory / "weed.log")


def moto(directory):
    """moto: S3 as a Python program."""
    port = free_port()
    command = [str(Path(sys.executable).parent / "moto_server"), "-H", "127.0.0.1", "-p", str(port)]
    return running(command, port, Path(directory) / "moto.log")
