"""Settings of what writes names, summaries, reasons and blurbs."""

from typing import Literal

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt

from strata.settings import Settings

Method = Literal["template", "local", "endpoint"]


class GenerateSettings(Settings):
    """Who writes, how long it may take and what it may cost; the template speaks wherever the others may not."""

    method: Method = "template"
    """template: fixed words; local: a causal model on this machine; endpoint: any of the OpenAI protocol."""
    model: str = "smollm2-135m-instruct"
    """local: a packaged model, a folder or a hub name; endpoint: the name of the model there."""
    url: str = ""
    """Of the endpoint, up to and with /v1."""
    key_variable: str = "STRATA_GENERATE_KEY"
    """The environment variable that holds the endpoint's key; none is sent where it is not set."""
    language: Literal["auto", "en", "zh"] = "auto"
    """Of the texts; auto: that of most items, English for all but Chinese."""
    speaks: tuple[Literal["en", "zh"], ...] = ("en",)
    """Languages in which the model is asked; in others the template speaks at once."""
    topics: bool = True
    """Whether names of topics are written ahead."""
    users: NonNegativeInt = 100
    """Users whose summaries are written ahead, those with the most interests; others on demand."""
    prompt_tokens: PositiveInt = 500
    """About the most that a prompt may have."""
    max_tokens: PositiveInt = 60
    """Of an answer."""
    attempts: PositiveInt = 2
    """Answers asked for before the template speaks."""
    time_out: PositiveFloat = 60.0
    """Seconds that an answer, or locally a batch of them, may take."""
    wait: PositiveFloat = 1.0
    """Seconds that a request of the service waits; a text that comes later is shown the next time."""
    batch_size: PositiveInt = 8
    """Texts that a local model writes at a time, or calls to an endpoint that run side by side."""
    threads: PositiveInt = 2
    """CPU threads of a local model."""
    retries: NonNegativeInt = 3
    """Calls made again after 408, 429, 5xx, time-outs and answers that are cut or make no sense."""
    backoff: PositiveFloat = 1.0
    """Seconds before the first of them, doubled each time; a Retry-After of up to a minute is kept."""
    budget_tokens: NonNegativeInt = 1_000_000
    """Tokens, of prompts and answers, that an endpoint may be asked for in one run; 0: none."""
    budget_money: NonNegativeFloat | None = None
    """The same in the currency of the prices; null: tokens alone count."""
    price_in: NonNegativeFloat = 0.0
    """Of a million tokens of prompts."""
    price_out: NonNegativeFloat = 0.0
    """Of a million tokens of answers."""
