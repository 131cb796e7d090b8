"""Deployment files: they parse, and name only settings that exist."""

import json
import re
from pathlib import Path

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from services.settings import PREFIX, ServiceSettings
from tests.services.serving import ROOT


@pytest.mark.parametrize("name", ["compose.yaml", "compose.gpu.yaml"])
def test_compose_files_describe_the_one_service(name: str) -> None:
    described = yaml.safe_load((ROOT / "deploy" / name).read_text(encoding="utf-8"))
    assert list(described["services"]) == ["strata"]


def test_compose_sets_what_the_service_reads_and_publishes_on_the_loopback_only() -> None:
    service = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text(encoding="utf-8"))["services"]["strata"]
    assert {name.removeprefix(PREFIX).lower() for name in service["environment"]} <= set(ServiceSettings.model_fields)
    ServiceSettings.from_environment(service["environment"])
    assert service["ports"] == ["127.0.0.1:3000:3000"]
    assert service["volumes"][0].endswith(f":{service['environment']['STRATA_RELEASES']}:ro")
    mounted = {volume.removesuffix(":ro").rpartition(":")[2] for volume in service["volumes"]}
    assert {str(Path(service["environment"][name]).parent) for name in ("STRATA_TOKENS", "STRATA_JOURNAL")} <= mounted
    assert f"{service['environment']['STRATA_RELEASES']}/refused" in mounted


def test_several_replicas_share_journal_rates_and_encoder_and_no_file_has_a_password() -> None:
    path = ROOT / "deploy" / "compose.replicas.yaml"
    services = yaml.safe_load(path.read_text(encoding="utf-8"))["services"]
    assert services["strata"]["deploy"]["replicas"] > 1
    settings = services["strata"]["environment"]
    assert {name.removeprefix(PREFIX).lower() for name in settings} <= set(ServiceSettings.model_fields)
    assert settings["STRATA_JOURNAL"] != settings["STRATA_RATE_STORE"]
    published = [port for service in services.values() for port in service.get("ports", [])]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)
    pods = kubernetes("Deployment", "StatefulSet")
    assert {"strata", "encoder", "redis", "prefect", "postgres"} == pods.keys() == services.keys() - {"proxy"}
    for text in (path.read_text(encoding="utf-8"), (ROOT / "deploy" / "kubernetes.yaml").read_text(encoding="utf-8")):
        assert not re.search(r"(?i)(password|requirepass)[ :=]+[a-z0-9]{4,}", text)
        for flag in ("appendonly", "appendfsync", "maxmemory-policy"):  # without which no event would be kept
            assert f"--{flag}" in text


def kubernetes(*kinds: str) -> dict[str, dict]:
    """Name → object of deploy/kubernetes.yaml of these kinds."""
    objects = yaml.safe_load_all((ROOT / "deploy" / "kubernetes.yaml").read_text(encoding="utf-8"))
    return {each["metadata"]["name"]: each for each in objects if each["kind"] in kinds}


def test_kubernetes_sets_what_the_service_reads_and_asks_its_probes() -> None:
    pods, doors = kubernetes("Deployment", "StatefulSet"), kubernetes("Service")
    assert pods.keys() == doors.keys()
    for name, pod in pods.items():
        template = pod["spec"]["template"]
        (container,) = template["spec"]["containers"]
        labels = template["metadata"]["labels"]
        assert labels == pod["spec"]["selector"]["matchLabels"] == doors[name]["spec"]["selector"]
        ports = {port["name"] for port in container["ports"]}
        assert {port["targetPort"] for port in doors[name]["spec"]["ports"]} <= ports
        claims = {each["metadata"]["name"] for each in pod["spec"].get("volumeClaimTemplates", [])}
        volumes = {each["name"] for each in template["spec"].get("volumes", [])} | claims
        assert {each["name"] for each in container.get("volumeMounts", [])} <= volumes
    service = pods["strata"]["spec"]["template"]["spec"]["containers"][0]
    settings = {each["name"] for each in service["env"] if each["name"].startswith(PREFIX)}
    assert {name.removeprefix(PREFIX).lower() for name in settings} <= set(ServiceSettings.model_fields)
    assert service["livenessProbe"]["httpGet"]["path"] == "/livez"
    assert service["readinessProbe"]["httpGet"]["path"] == service["startupProbe"]["httpGet"]["path"] == "/readyz"


def test_the_documentation_lists_every_setting() -> None:
    text = (ROOT / "docs" / "service.md").read_text(encoding="utf-8")
    missing = [name for name in ServiceSettings.model_fields if PREFIX + name.upper() not in text]
    assert not missing


def metrics_there_are() -> set[str]:
    """Names as Prometheus has them."""
    from services import metrics

    found = set()
    for value in vars(metrics).values():
        if isinstance(value, MetricWrapperBase):
            endings = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"], "gauge": [""]}[value._type]
            found |= {f"{value._name}{ending}" for ending in endings}
    return found


def test_the_dashboard_asks_for_metrics_that_there_are_and_shows_all_of_them() -> None:
    board = json.loads((ROOT / "deploy" / "grafana.json").read_text(encoding="utf-8"))
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    asked = {
        name for panel in panels for target in panel["targets"] for name in re.findall(r"strata_\w+", target["expr"])
    }
    there = metrics_there_are()
    assert asked <= there
    shown = {name.rsplit("_", 1)[0] for name in asked} | asked
    unseen = {name for name in there if name not in asked and name.rsplit("_", 1)[0] not in shown}
    assert unseen <= {"strata_encoded_texts_total", "strata_scrubbed_total"}
    places = [tuple(panel["gridPos"].values()) for panel in board["panels"]]
    assert len({panel["id"] for panel in board["panels"]}) == len(set(places)) == len(places)
    assert all(panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24 for panel in board["panels"])


def test_the_runbook_names_metrics_and_settings_that_there_are() -> None:
    text = (ROOT / "docs" / "runbook.md").read_text(encoding="utf-8")
    assert set(re.findall(r"\bstrata_\w+", text)) <= metrics_there_are()
    settings = {name.removeprefix(PREFIX).lower() for name in re.findall(r"\bSTRATA_\w+", text)}
    assert settings <= set(ServiceSettings.model_fields)
