"""LocalEC2 as a server: child processes, the call log, the command line, and its end."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from datetime import datetime, timezone

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError, HTTPClientError

from ami_deprecation.testing import LocalEC2
from ami_deprecation.testing.__main__ import main
from tests.support.watch import wait_until

DATE = "2030-01-01T00:00:00Z"
CHILD = """
import boto3
client = boto3.client("ec2")
for image in client.describe_images(Owners=["self"])["Images"]:
    client.enable_image_deprecation(ImageId=image["ImageId"], DeprecateAt="2030-01-01T00:00:00Z")
"""


def test_child_process_reaches_only_local_ec2(monkeypatch: pytest.MonkeyPatch) -> None:
    with LocalEC2() as ec2:
        mine, theirs = ec2.add_image(region="eu-central-1"), ec2.add_image(account="210987654321")
        traps = {
            "AWS_PROFILE": "production",
            "AWS_ENDPOINT_URL_EC2": "http://127.0.0.1:9",
            "HTTP_PROXY": "http://127.0.0.1:9",
            "http_proxy": "http://127.0.0.1:9",
        }
        for name, value in traps.items():
            monkeypatch.setenv(name, value)
        for environment in (ec2.environment("eu-central-1"), ec2.environment("eu-west-1", "210987654321")):
            env = {**os.environ, **environment}
            subprocess.run([sys.executable, "-c", CHILD], env=env, check=True)
        date = datetime(2030, 1, 1, tzinfo=timezone.utc)
        assert ec2.image(mine, region="eu-central-1").deprecation_time == date
        assert ec2.image(theirs).deprecation_time == date
        assert [(c.region, c.account, c.image_ids) for c in ec2.mutations()] == [
            ("eu-central-1", "123456789012", (mine,)),
            ("eu-west-1", "210987654321", (theirs,)),
        ]


def test_call_log_has_caller_request_and_result() -> None:
    with LocalEC2() as ec2:
        image_id = ec2.add_image()
        client = ec2.client(config=Config(user_agent_extra="our-tool/1.0"))
        began = time.time()
        client.describe_images(ImageIds=[image_id])
        mark = ec2.mark()
        with pytest.raises(ClientError):
            client.enable_image_deprecation(ImageId="ami-0123456789abcdef0", DeprecateAt=DATE)
        client.describe_instances()  # moto's own
        [enabled, instances] = ec2.calls_since(mark)
        assert (enabled.action, enabled.error_code) == ("EnableImageDeprecation", "InvalidAMIID.NotFound")
        assert enabled.image_ids == ("ami-0123456789abcdef0",)
        assert "our-tool/1.0" in enabled.user_agent
        assert began <= enabled.at <= time.time()
        assert (instances.action, instances.ok, instances.mutates) == ("DescribeInstances", True, False)
        assert "testing" not in repr(ec2.calls)  # neither key id nor token
        ec2.clear_calls()
        assert ec2.calls == ec2.calls_since(mark) == []


@pytest.mark.parametrize("region", ["us-gov-west-1", "cn-north-1"])
def test_regions_of_other_partitions_work(region: str) -> None:
    with LocalEC2() as ec2:
        image_id = ec2.add_image(region=region)
        ec2.client(region=region).enable_image_deprecation(ImageId=image_id, DeprecateAt=DATE)
        assert ec2.image(image_id, region=region).deprecation_time is not None


def test_region_that_does_not_exist_is_refused() -> None:
    with LocalEC2() as ec2, pytest.raises(ClientError, match="eu-nowhere-1"):
        ec2.client(region="eu-nowhere-1").describe_images()


def test_call_that_moto_lacks_is_one_error_without_retries() -> None:
    with LocalEC2() as ec2:
        with pytest.raises(ClientError, match="InvalidAction"):
            ec2.client().describe_fast_launch_images()
        assert len(ec2.calls) == 1


def test_connection_is_kept_alive() -> None:
    with LocalEC2() as ec2:
        client = ec2.client()
        client.describe_images()
        before = threading.active_count()
        for _ in range(5):
            client.describe_images()
        assert threading.active_count() == before


def test_many_threads_get_right_answers() -> None:
    with LocalEC2() as ec2:
        images = ec2.add_images(80)
        client = ec2.client()

        def enable(mine: list[str]) -> None:
            for image_id in mine:
                client.enable_image_deprecation(ImageId=image_id, DeprecateAt=DATE)

        threads = [threading.Thread(target=enable, args=(images[part::4],)) for part in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(i for call in ec2.calls for i in call.image_ids) == sorted(images)
        assert all(image.deprecation_time for image in ec2.images())


def test_server_stops_with_its_connections_and_state() -> None:
    with LocalEC2() as ec2:
        image_id = ec2.add_image()
        client = ec2.client(config=Config(retries={"total_max_attempts": 1}))
        client.describe_images(ImageIds=[image_id])
        ec2.faults.add("DescribeImages", "hang", seconds=60)
        failures: list[Exception] = []

        def wait() -> None:
            try:
                client.describe_images()
            except HTTPClientError as error:
                failures.append(error)

        hanging = threading.Thread(target=wait)
        hanging.start()
        wait_until(lambda: len(ec2.calls) == 2, "the second call hangs")
        began = time.monotonic()
    hanging.join()
    assert time.monotonic() - began < 30
    assert len(failures) == 1
    with pytest.raises((EndpointConnectionError, HTTPClientError)):
        client.describe_images()
    with LocalEC2() as again:
        assert again.images() == []
        with pytest.raises(LookupError, match=image_id):
            again.image(image_id)


def test_reset_keeps_clients_and_forgets_images() -> None:
    with LocalEC2() as ec2:
        other = ec2.client(account="210987654321")
        gone = [
            ec2.add_image(),
            ec2.add_image(account="210987654321"),
            other.register_image(Name="registered")["ImageId"],
        ]
        ec2.deregister_image(gone[0])
        ec2.faults.add("*", "denied", times=None)
        ec2.reset()
        assert ec2.calls == []
        assert other.describe_images(Owners=["self"])["Images"] == []
        assert ec2.calls[0].account == "210987654321"
        for image_id in gone:
            with pytest.raises(LookupError):
                ec2.image(image_id)


def test_second_server_in_one_process_is_refused() -> None:
    with LocalEC2() as ec2:
        with pytest.raises(RuntimeError, match="another LocalEC2"):
            LocalEC2().start()
        assert ec2.client().describe_images()["Images"] == []


def test_taken_port_is_one_sentence_and_can_be_tried_again(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert main(["--port", str(port)]) == 1
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1:{port}"):
            LocalEC2(port=port).start()
    sentence = f"cannot listen on 127.0.0.1:{port}: Address already in use"
    assert capsys.readouterr().err == f"python -m ami_deprecation.testing: {sentence}\n"
    with LocalEC2(port=port) as ec2:
        assert ec2.endpoint_url == f"http://127.0.0.1:{port}"


def test_command_serves_until_interrupted() -> None:
    command = [sys.executable, "-m", "ami_deprecation.testing", "--images", "12", "--limits"]
    processes = {
        stop: subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for stop in (signal.SIGINT, signal.SIGTERM)
    }
    for stop, process in processes.items():
        with process:
            assert process.stdout is not None
            assert process.stderr is not None
            output = ""
            while "Ctrl-C" not in output and (line := process.stdout.readline()):
                output += line
            exports = dict(re.findall(r"^export (\w+)=(.*)$", output, re.MULTILINE))
            client = boto3.client(
                "ec2",
                endpoint_url=exports["AWS_ENDPOINT_URL"],
                region_name=exports["AWS_DEFAULT_REGION"],
                aws_access_key_id=exports["AWS_ACCESS_KEY_ID"],
                aws_secret_access_key=exports["AWS_SECRET_ACCESS_KEY"],
            )
            images = client.describe_images(Owners=["self"])["Images"]
            process.send_signal(stop)
            rest = process.stderr.read()
        assert len(images) == 12
        assert images[0]["ImageId"] in output
        assert (process.returncode, rest) == (0, "")


def test_command_says_wrong_region_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--region", "eu-nowhere-1"]) == 1
    assert capsys.readouterr().err == "python -m ami_deprecation.testing: unknown region 'eu-nowhere-1'\n"
