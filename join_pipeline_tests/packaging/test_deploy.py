"""What lies in deploy/: files that are valid, name what there is and hold no secret. No cluster, no Docker is run."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final
from zipfile import ZipFile

import kubernetes.client as k8s
import pytest
import yaml
from dagster._config import process_config, resolve_to_config_type
from dagster._core.instance.config import dagster_instance_config_schema
from dagster._core.instance.ref import InstanceRef
from dagster._core.launcher import RunLauncher
from dagster._core.run_coordinator import QueuedRunCoordinator, RunCoordinator
from dagster_k8s.launcher import K8sRunLauncher
from dagster_k8s.models import k8s_snake_case_dict

from join_pipeline.connections.listed import parse
from join_pipeline.fleet.celery_launcher import PatientCeleryRunLauncher
from join_pipeline.fleet.queues import CompanyQueueCoordinator
from join_pipeline.settings import declared, env_name, kinds

ROOT: Final = Path(__file__).parents[2]
DEPLOY: Final = ROOT / "deploy"
VALUES: Final = yaml.safe_load((DEPLOY / "kubernetes" / "values.yaml").read_text())
COMPOSE: Final = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
PLACES: Final = {f"DAGSTER_PG_{name}": "1" for name in ("HOST", "PORT", "DB", "USERNAME", "PASSWORD")} | {
    "CELERY_BROKER_URL": "memory://",
    "CELERY_RESULT_BACKEND": "cache+memory://",
}
PROGRAM: Final = re.compile(r"[a-z-]+")


def instance_in(folder: Path, monkeypatch: pytest.MonkeyPatch) -> InstanceRef:
    """What Dagster reads in this folder. It connects to nothing."""
    for name, value in PLACES.items():
        monkeypatch.setenv(name, value)
    return InstanceRef.from_dir(str(folder))


def accepted(schema: Any, given: Any) -> None:
    """Dagster takes this configuration."""
    done = process_config(resolve_to_config_type(schema), given)
    assert done.success, [error.message for error in done.errors or []]


def snake(value: Any) -> Any:
    """The keys as in Dagster's own configuration, of which the chart makes its own names."""
    if not isinstance(value, dict):
        return value
    return {snaked(key): snake(inner) for key, inner in value.items()}


def snaked(key: str) -> str:
    """A key of the chart as Dagster writes it."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", key).lower()


def test_dagster_takes_the_configuration_for_celery(monkeypatch: pytest.MonkeyPatch) -> None:
    ref = instance_in(DEPLOY / "celery", monkeypatch)
    assert ref.run_launcher_data is not None
    assert ref.run_coordinator_data is not None
    assert isinstance(ref.run_launcher_data.rehydrate(as_type=RunLauncher), PatientCeleryRunLauncher)
    assert isinstance(ref.run_coordinator_data.rehydrate(as_type=RunCoordinator), CompanyQueueCoordinator)
    monitoring, retries = ref.settings["run_monitoring"], ref.settings["run_retries"]
    assert monitoring["enabled"]
    assert retries == {"enabled": True, "max_retries": 2, "retry_on_asset_or_op_failure": False}
    assert monitoring["poll_interval_seconds"] < monitoring["start_timeout_seconds"]


def test_the_configuration_of_one_machine_is_ours_with_another_storage(monkeypatch: pytest.MonkeyPatch) -> None:
    assert instance_in(DEPLOY / "compose", monkeypatch).run_storage_data
    found = yaml.safe_load((DEPLOY / "compose" / "dagster.yaml").read_text())
    celery = yaml.safe_load((DEPLOY / "celery" / "dagster.yaml").read_text())
    assert found.pop("storage") == celery["storage"]
    assert found == yaml.safe_load((ROOT / "dagster.yaml").read_text())


def test_compose_names_commands_files_and_places_that_there_are() -> None:
    services = COMPOSE["services"]
    assert set(services) == {"postgres", "code", "web", "daemon"}
    scripts = {path.name for path in Path(sys.executable).parent.iterdir()}
    for name, service in services.items():
        assert set(service.get("depends_on", {})) <= set(services), name
        if "command" in service:
            assert service["command"][0] in scripts
            assert "dagster/workspace.yaml" in service["command"]
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            assert source in COMPOSE["volumes"] or (DEPLOY / source).is_file(), volume
    host = yaml.safe_load((DEPLOY / "compose" / "workspace.yaml").read_text())["load_from"][0]["grpc_server"]["host"]
    assert host in services
    assert services["web"]["ports"] == ["127.0.0.1:3000:3000"], "the UI has no login"
    assert (DEPLOY / services["code"]["build"]["context"]).resolve() == ROOT
    assert (ROOT / services["code"]["build"]["dockerfile"]).is_file()


def dockerfile() -> list[list[str]]:
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    return [line.split() for line in text.splitlines() if line and not line.startswith("#")]


def test_the_image_has_what_its_processes_need_and_no_root_and_no_secret(tmp_path: Path) -> None:
    lines = dockerfile()
    known = {"FROM", "RUN", "WORKDIR", "COPY", "USER", "ENV", "EXPOSE", "CMD"}
    assert {line[0] for line in lines} == known
    users = [line[1] for line in lines if line[0] == "USER"]
    assert users == ["10001"]
    assert [line for line in lines if line[0] in {"CMD", "ENV"} and "_TOKEN" in " ".join(line)] == []
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    (extras,) = re.findall(r"\.\[([a-z0-9,]+)\]", (DEPLOY / "Dockerfile").read_text())
    assert set(extras.split(",")) <= set(pyproject["optional-dependencies"])

    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text()
    for copied in (word for line in lines if line[0] == "COPY" for word in line[1:-1]):
        assert f"!{copied}\n" in ignored
        source, target = ROOT / copied, tmp_path / "image" / copied
        target.parent.mkdir(exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__", "target", "logs"))
        else:
            shutil.copy(source, target)
    built = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path)]
    subprocess.run([*built, str(tmp_path / "image")], check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = ZipFile(wheel).namelist()
    assert {"join_pipeline/definitions.py", "join_pipeline/fleet/celery_app.py", "join_pipeline/_dagster.yaml"} <= {
        *names
    }
    assert any(name.startswith("join_pipeline/_dbt_project/models/") for name in names)


def test_dagster_takes_what_the_chart_makes_of_the_values() -> None:
    launcher = dict(VALUES["runLauncher"]["config"]["k8sRunLauncher"])
    pods = launcher.pop("runK8sConfig")
    k8s_snake_case_dict(k8s.V1PodSpec, pods["podSpecConfig"] | {"containers": []})
    k8s_snake_case_dict(k8s.V1JobSpec, pods["jobSpecConfig"] | {"template": {}})
    # what is below a name of the chart's is Kubernetes' own
    launcher = {snaked(key): value for key, value in launcher.items()}
    launcher["run_k8s_config"] = {snaked(key): value for key, value in pods.items()}
    accepted(K8sRunLauncher.config_type(), launcher | {"service_account_name": "x", "instance_config_map": "x"})
    daemon = VALUES["dagsterDaemon"]
    queued = daemon["runCoordinator"]["config"]["queuedRunCoordinator"]
    limits = queued.pop("tagConcurrencyLimits")  # its keys stay as they are
    accepted(QueuedRunCoordinator.config_type(), snake(queued) | {"tag_concurrency_limits": limits})
    schema = dagster_instance_config_schema()
    for section in ("runRetries", "runMonitoring"):
        accepted(schema[snaked(section)].config_type, snake(daemon[section]))
    assert daemon["runRetries"]["retryOnAssetOrOpFailure"] is False
    assert VALUES["postgresql"]["postgresqlScheme"] == "postgresql+psycopg2"


def test_kubernetes_knows_what_the_values_say_of_pods() -> None:
    (deployment,) = VALUES["dagster-user-deployments"]["deployments"]
    for kind, key in ((k8s.V1Volume, "volumes"), (k8s.V1VolumeMount, "volumeMounts")):
        for one in deployment[key]:
            k8s_snake_case_dict(kind, one)
    k8s_snake_case_dict(k8s.V1PodSecurityContext, deployment["podSecurityContext"])
    k8s_snake_case_dict(k8s.V1SecurityContext, deployment["securityContext"])
    k8s_snake_case_dict(k8s.V1ResourceRequirements, deployment["resources"])
    assert set(deployment["env"]) <= {env_name(field) for field in declared()}
    assert {volume["name"] for volume in deployment["volumes"]} == {m["name"] for m in deployment["volumeMounts"]}

    there = list(yaml.safe_load_all((DEPLOY / "kubernetes" / "company-data.yaml").read_text()))
    names = {one["kind"]: one["metadata"]["name"] for one in there}
    assert {(volume.get("configMap") or {}).get("name") for volume in deployment["volumes"]} >= {names["ConfigMap"]}
    assert names["PersistentVolumeClaim"] in str(deployment["volumes"])
    k8s_snake_case_dict(k8s.V1PersistentVolumeClaimSpec, there[1]["spec"])
    listed = parse(Path("connections.toml"), there[0]["data"]["connections.toml"], kinds())
    assert {name: one.faults for name, one in listed.items()} == {"acme": ()}


def test_no_file_holds_a_secret() -> None:
    for path in (path for path in DEPLOY.rglob("*") if path.is_file()):
        stated = re.findall(r"(?im)^\s*[\w-]*(?:password|token|secret)\s*[:=]\s*(\S.*)$", path.read_text())
        assert all(value == "false" or value.startswith("{") for value in stated), f"{path.name}: {stated}"


@pytest.mark.parametrize("unit", sorted((DEPLOY / "celery").glob("*.service")), ids=lambda path: path.name)
def test_a_unit_starts_what_there_is(unit: Path) -> None:
    text = unit.read_text()
    (command,) = re.findall(r"(?m)^ExecStart=/opt/join-pipeline/\.venv/bin/(\S+)", text)
    assert Path(sys.executable).with_name(command).exists()
    assert "User=join-pipeline" in text
    if shutil.which("systemd-analyze"):
        said = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False).stderr
        assert [line for line in said.splitlines() if "is not executable" not in line] == []
