"""With the packaged model itself; skipped where the package that reads its weights is not installed."""

import importlib.util
from typing import Any

import pytest

from strata.errors import EncoderError
from strata.generation.checking import fault_of
from strata.generation.endpoint import Endpoint
from strata.generation.local import LocalModel
from strata.generation.prompts import prompt_for
from strata.generation.settings import GenerateSettings
from strata.generation.writer import Writer
from tests.generation.evidences import NAME, REASON, SUMMARY
from tests.generation.speaking import speaking

SETTINGS = GenerateSettings(method="local", time_out=600, max_tokens=24, attempts=1)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(importlib.util.find_spec("gguf") is None, reason="the extra `generate` (gguf) is not installed"),
]


@pytest.fixture(scope="module")
def model() -> LocalModel:
    return LocalModel.load(SETTINGS)


def test_it_says_what_the_check_admits_in_english(model: LocalModel) -> None:
    found = Writer(SETTINGS, model).write([NAME, SUMMARY, REASON])
    for evidence, written in zip((NAME, SUMMARY, REASON), found, strict=True):
        assert fault_of(written.text, evidence.screened(), prompt_for(evidence, 500).parts) is None
    assert any(written.by == "generator" for written in found)


def test_one_answers_alike_alone_and_beside_others(model: LocalModel) -> None:
    prompts = [prompt_for(evidence.screened(), 500) for evidence in (NAME, REASON)]
    assert model.write(prompts)[0] == model.write(prompts[:1])[0]


def test_it_can_be_served_by_the_protocol_and_asked_over_http(model: LocalModel) -> None:
    def chat(body: dict[str, Any]) -> str:
        assert body["messages"] == prompt_for(NAME, 500).messages()
        return model.write([prompt_for(NAME, 500)])[0].text

    with speaking(chat) as speaker:
        settings = GenerateSettings(method="endpoint", url=speaker.url, time_out=600)
        [over_http] = Endpoint(settings).write([prompt_for(NAME, 500)])
        assert over_http.text == model.write([prompt_for(NAME, 500)])[0].text


def test_a_folder_without_a_model_is_named_with_the_remedy(tmp_path: Any) -> None:
    with pytest.raises(EncoderError, match=r"generate\.model: .* cannot be loaded .* safetensors"):
        LocalModel.load(GenerateSettings(method="local", model=str(tmp_path)))
