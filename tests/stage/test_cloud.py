"""The runbook's alternatives for AWS, against a real server of its API on this machine."""

import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest
from moto.server import ThreadedMotoServer

from rollback_drill.conduct.hold import hold
from rollback_drill.conduct.plans import plan_for
from rollback_drill.conduct.request import Request
from rollback_drill.ground.verdict import Verdict
from rollback_drill.perform.performer import choose
from rollback_drill.runbook.parse import parse
from rollback_drill.stage.host import LocalHost
from rollback_drill.stage.model import StageOptions
from rollback_drill.stage.processes import ProcessStage

ROOT = Path(__file__).resolve().parents[2]
RUNBOOK = ROOT / "runbook" / "rollback.md"
BUCKET = "secure-storage"
KEYS = {"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_DEFAULT_REGION": "eu-west-1"}


class Cloud:
    """A target group and a bucket; `client` asks for them."""

    def __init__(self, url: str) -> None:
        self.environment = {**KEYS, "AWS_ENDPOINT_URL": url}
        self._url = url
        ec2 = self.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        created = self.client("elbv2").create_target_group(
            Name="api", Protocol="HTTP", Port=8000, VpcId=vpc, HealthCheckPath="/ready",
            HealthCheckIntervalSeconds=7, UnhealthyThresholdCount=3, Matcher={"HttpCode": "200-204"},
        )  # fmt: skip
        self.arn = created["TargetGroups"][0]["TargetGroupArn"]
        self.client("s3").create_bucket(
            Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"}
        )
        self.environment |= {"TARGET_GROUP_ARN": self.arn, "SECURE_BUCKET": f"s3://{BUCKET}"}

    def client(self, name: str) -> Any:
        return boto3.client(
            name, endpoint_url=self._url, region_name="eu-west-1",
            aws_access_key_id="k", aws_secret_access_key="s",
        )  # fmt: skip

    def group(self) -> dict[str, Any]:
        found: dict[str, Any] = self.client("elbv2").describe_target_groups(
            TargetGroupArns=[self.arn]
        )["TargetGroups"][0]
        return found


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    yield Cloud(url)
    httpx.post(f"{url}/moto-api/reset", timeout=10).raise_for_status()
    server.stop()


@pytest.fixture
def host(cloud: Cloud, tmp_path: Path) -> LocalHost:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    folders = {"EVIDENCE_DIR": str(tmp_path), "BACKUP_DIR": str(tmp_path), "HOME": str(tmp_path)}
    return LocalHost("host-1", tmp_path, {**cloud.environment, **folders, "PATH": path})


def script(step: int, word: str, procedure: int = 1) -> str:
    found = next(s for s in parse(RUNBOOK).procedure(procedure).steps if s.number == step)
    block = next(b for b in found.blocks if any(word in a.label for a in b.alternatives))
    return choose(block, (word,)).script


@pytest.mark.slow
def test_the_target_group_is_drained_and_restored_exactly_as_it_was(
    cloud: Cloud, host: LocalHost
) -> None:
    before = cloud.group()
    for _ in range(2):  # performed again after an interruption, it must not forget the old path
        done = host.run(script(1, "AWS"), limit_s=60)
        assert done.ok, done.stderr
        assert cloud.group() == {**before, "HealthCheckPath": "/maintenance"}
    done = host.run(script(6, "AWS"), limit_s=60)
    assert done.ok, done.stderr
    assert cloud.group() == before


def test_a_target_group_that_is_gone_stops_the_step(cloud: Cloud, host: LocalHost) -> None:
    cloud.client("elbv2").delete_target_group(TargetGroupArn=cloud.arn)
    done = host.run(script(1, "AWS"), limit_s=60)
    assert not done.ok
    assert "TargetGroupNotFound" in done.stderr


@pytest.fixture
def stage(cloud: Cloud) -> Iterator[ProcessStage]:
    """Plain processes whose load balancer obeys the target group and whose storage is a bucket."""
    stage = ProcessStage(StageOptions(), "asked for", print)
    stage.alternatives = ("S3", "AWS", "supervisord")
    over = threading.Event()

    def obey() -> None:
        path = "/ready"
        while not over.wait(0.2):
            wanted = cloud.group()["HealthCheckPath"]
            if wanted != path:
                admin = stage.environment["LB_ADMIN"]
                httpx.patch(f"{admin}/id/health/uri", json=wanted, timeout=5).raise_for_status()
                path = wanted

    with stage:
        host = stage.hosts[0]
        assert isinstance(host, LocalHost)
        host.environment |= cloud.environment
        thread = threading.Thread(target=obey, daemon=True)
        thread.start()
        yield stage
        over.set()
        thread.join()


@pytest.mark.slow
@pytest.mark.wide  # each of its blocks is performed by the tests beside it
def test_a_drill_with_the_database_uses_target_group_and_bucket(
    cloud: Cloud, stage: ProcessStage, tmp_path: Path
) -> None:
    before = cloud.group()
    request = Request(RUNBOOK, tmp_path / "report", procedure="2", pace=600)
    judgement = hold(plan_for(request), stage=stage).judgement
    assert judgement.verdict is Verdict.PASSED, judgement.reason
    assert cloud.group() == before
    kept = [o["Key"] for o in cloud.client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]]
    assert sum(key.endswith(".dump") for key in kept) == 1
    assert any(key.endswith("cursor_audit.csv") for key in kept)


@pytest.mark.slow
def test_a_copy_that_was_damaged_on_its_way_stops_the_step(cloud: Cloud, host: LocalHost) -> None:
    folder = host.directory
    name = "backup_pre_rollback_20260101_000000.dump"
    (folder / name).write_bytes(b"PGDMP and so on")
    (folder / f"{name}.restored-rows").write_text("1")
    assert host.run(f"sha256sum {name} > {name}.sha256", limit_s=10).ok
    good = host.run(script(3, "S3", procedure=2), limit_s=60)
    assert good.ok, good.stderr
    (folder / f"{name}.sha256").write_text(f"{'0' * 64}  {name}\n")
    assert not host.run(script(3, "S3", procedure=2), limit_s=60).ok
