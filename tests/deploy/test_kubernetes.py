"""The manifests for Kubernetes are valid, fit each other, and say what the collector understands."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import kubernetes_validate
import pytest
import yaml

from collector import __version__
from collector.cli import cli
from collector.settings import Settings, load

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
KUBERNETES = "1.31"
ROUTES = (FOLDER.parents[1] / "collector" / "routes.py").read_text(encoding="utf-8")
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
WORKLOADS = ("Deployment", "StatefulSet")


def read(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load_all((FOLDER / name).read_text(encoding="utf-8")))


KUSTOMIZATION = read("kustomization.yaml")[0]
OBJECTS = [each for name in KUSTOMIZATION["resources"] for each in read(name)]


def named(kind: str) -> dict[str, dict[str, Any]]:
    return {each["metadata"]["name"]: each for each in OBJECTS if each["kind"] == kind}


def workloads() -> list[dict[str, Any]]:
    return [each for each in OBJECTS if each["kind"] in WORKLOADS]


def pods() -> list[dict[str, Any]]:
    return [each["spec"]["template"] for each in workloads()]


def containers() -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Yield every container with its pod's specification."""
    for pod in pods():
        for container in pod["spec"]["containers"]:
            yield container, pod["spec"]


def ours() -> list[dict[str, Any]]:
    return [container for container, _ in containers() if container["image"] == "headwater"]


def chosen(selector: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the pods that have all the labels of a selector."""
    wanted = selector.get("matchLabels", selector)
    return [pod for pod in pods() if wanted.items() <= pod["metadata"]["labels"].items()]


@pytest.mark.parametrize("each", OBJECTS, ids=lambda each: f"{each['kind']}-{each['metadata']['name']}")
def test_an_object_fits_the_schema_of_kubernetes(each: dict[str, Any]) -> None:
    kubernetes_validate.validate(each, KUBERNETES, strict=True)


def test_kustomize_knows_every_file_and_the_version_is_ours() -> None:
    files = {path.name for path in FOLDER.glob("*.yaml")} - {"kustomization.yaml", "adapter.yaml"}

    assert set(KUSTOMIZATION["resources"]) == files
    assert KUSTOMIZATION["images"] == [{"name": "headwater", "newTag": __version__}]


def test_the_settings_are_settings_with_values_that_are_allowed() -> None:
    values = named("ConfigMap")["headwater"]["data"] | named("Secret")["headwater"]["stringData"]

    settings = load({}, values)

    assert settings.partitions == 4
    place = settings.redis_url.removeprefix("redis://").split(":")[0]
    assert place in named("Service")
    assert {container["name"] for container in ours()} == {"collector", "queues", "classify", "sink-parquet"}
    for container in ours():
        sources = [next(iter(each.values()))["name"] for each in container["envFrom"]]
        assert sources[:2] == ["headwater", "headwater"]


def test_there_is_time_to_finish_before_a_pod_is_killed() -> None:
    settings = load({}, named("ConfigMap")["headwater"]["data"])
    collector = named("StatefulSet")["headwater"]["spec"]["template"]["spec"]

    assert settings.unready_seconds < settings.grace_seconds < collector["terminationGracePeriodSeconds"]
    readiness = collector["containers"][0]["readinessProbe"]
    assert readiness["periodSeconds"] * readiness["failureThreshold"] <= settings.unready_seconds


def test_probes_ask_for_paths_that_are_served_on_ports_that_are_open() -> None:
    defaults = {
        "public": Settings.model_fields["port"].default,
        "console": Settings.model_fields["console_port"].default,
    }
    probes = [
        (container, container[name]["httpGet"])
        for container in ours()
        for name in PROBES
        if name in container
    ]

    assert len(probes) == 3
    for container, asked in probes:
        ports = {port["name"]: port["containerPort"] for port in container["ports"]}
        assert ports == defaults
        assert asked["port"] in ports
        assert f'("GET", "{asked["path"]}"' in ROUTES


@pytest.mark.parametrize("container", ours(), ids=lambda container: container["name"])
def test_a_container_runs_a_command_that_exists(container: dict[str, Any]) -> None:
    command: click.Command = cli
    words = list(container["args"])
    while isinstance(command, click.Group):
        named = command.get_command(click.Context(command), words.pop(0))
        assert named
        command = named

    command.make_context(command.name, words)


def test_nobody_is_root_and_nothing_but_the_volumes_can_be_written() -> None:
    for container, pod in containers():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"limits", "requests"} == container["resources"].keys()
    user = re.findall(r"^USER (\d+)", (FOLDER.parents[1] / "Dockerfile").read_text(), re.MULTILINE)[-1]
    assert named("StatefulSet")["headwater"]["spec"]["template"]["spec"]["securityContext"][
        "runAsUser"
    ] == int(user)


def test_every_mount_is_a_volume_and_who_has_a_spool_keeps_it() -> None:
    for each in workloads():
        spec = each["spec"]["template"]["spec"]
        claims = {claim["metadata"]["name"] for claim in each["spec"].get("volumeClaimTemplates", ())}
        volumes = {volume["name"] for volume in spec.get("volumes", ())}
        mounts = {mount["name"] for container in spec["containers"] for mount in container["volumeMounts"]}

        assert mounts == claims | volumes
        spools = (
            spec["containers"][0].get("args", [""])[0] == "serve" or spec["containers"][0]["name"] == "queues"
        )
        assert not spools or "data" in claims


def test_selectors_find_the_pods_that_they_mean() -> None:
    for each in workloads():
        assert chosen(each["spec"]["selector"]) == [each["spec"]["template"]]
    for service in named("Service").values():
        (pod,) = chosen(service["spec"]["selector"])
        open_ports = {port["name"] for port in pod["spec"]["containers"][0].get("ports", ())}
        assert {port["targetPort"] for port in service["spec"].get("ports", ())} <= open_ports
    for budget in named("PodDisruptionBudget").values():
        assert len(chosen(budget["spec"]["selector"])) == 1
    for each in named("StatefulSet").values():
        assert each["spec"]["serviceName"] in named("Service")


def test_the_street_reaches_the_public_door_and_not_the_console() -> None:
    (ingress,) = named("Ingress").values()
    backend = ingress["spec"]["rules"][0]["http"]["paths"][0]["backend"]["service"]
    service = named("Service")[backend["name"]]
    rules = named("NetworkPolicy")["headwater-collector"]["spec"]["ingress"]

    assert [port["targetPort"] for port in service["spec"]["ports"]] == ["public"]
    allowed = {
        next(iter(rule["from"][0]["namespaceSelector"]["matchLabels"].values())): rule["ports"]
        for rule in rules
    }
    assert {name: [port["port"] for port in ports] for name, ports in allowed.items()} == {
        "ingress-nginx": [8080],
        "monitoring": [8081],
    }
    assert named("NetworkPolicy")["headwater-nobody"]["spec"] == {
        "podSelector": {},
        "policyTypes": ["Ingress"],
    }


def test_the_autoscaler_follows_processor_time_and_the_metric_that_the_adapter_tells() -> None:
    scaler = named("HorizontalPodAutoscaler")["headwater"]["spec"]
    target = scaler["scaleTargetRef"]
    (rule,) = read("adapter.yaml")[0]["rules"]["custom"]
    metrics = (FOLDER.parents[1] / "docs" / "metrics.md").read_text(encoding="utf-8")

    assert target["name"] in named(target["kind"])
    resource, commit = scaler["metrics"]
    assert resource["resource"]["name"] == "cpu"
    assert commit["pods"]["metric"]["name"] == rule["name"]["as"]
    assert f"`{rule['seriesQuery'].partition('_bucket')[0]}`" in metrics
