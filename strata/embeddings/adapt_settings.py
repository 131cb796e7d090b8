"""Settings of adapting a language model to the platform's texts; read without loading one."""

from pydantic import Field, PositiveFloat, PositiveInt

from strata.settings import Settings


class AdaptSettings(Settings):
    """Whether the language model is adapted to the platform's texts, and for how long."""

    enabled: bool = False
    steps: PositiveInt = 200
    texts_per_step: PositiveInt = 16
    max_tokens: PositiveInt = 128
    """Longer texts are cut."""
    learning_rate: PositiveFloat = 5e-5
    weight_decay: float = Field(0.01, ge=0)
    clip: PositiveFloat = 1.0
    """Largest norm of a step's gradient."""
    masked: float = Field(0.15, gt=0, lt=1)
    """Share of an encoder's tokens that it has to tell; 80 % of them are hidden, 10 % replaced, 10 % left."""
    held_share: float = Field(0.1, gt=0, lt=1)
    """Share of the texts that perplexity is measured on and nothing is learned from."""
    held_texts: PositiveInt = 200
    """Of these, at most."""
    evaluate_every: PositiveInt = 25
    patience: PositiveInt = 3
    """Evaluations without improvement before it stops."""
    checkpoint_every: PositiveInt = 25
    seed: int = Field(7, ge=0)
