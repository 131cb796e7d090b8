"""Deployment files: they parse, and name only settings that exist."""

import pytest
import yaml

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


def test_the_documentation_lists_every_setting() -> None:
    text = (ROOT / "docs" / "service.md").read_text(encoding="utf-8")
    missing = [name for name in ServiceSettings.model_fields if PREFIX + name.upper() not in text]
    assert not missing
