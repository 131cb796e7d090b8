"""Stage heads: what tells the classes of texts, and the categories and tags of items that lack them."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import polars as pl

from strata.data.inferred import INFERRED, TABLE, table_of
from strata.data.schema import ITEM, TEXT, TIMESTAMP
from strata.embeddings.class_head import ClassHead, HeadSettings
from strata.embeddings.class_labels import CLASS_FIELDS, ClassLabels, named, texts_without_classes
from strata.embeddings.encoder import Encoder, EncoderSettings
from strata.embeddings.learning_classes import Examples, learn, sample
from strata.settings import read_settings
from strata.storage import write_json, write_table
from tasks import ARTIFACTS, ENCODER, TABLES, run
from tasks.reporting import say

HEADS, METRICS = ARTIFACTS / "heads", ARTIFACTS / "heads.json"


def main() -> None:
    """Learn a head for categories and one for tags where there is enough to learn from, and fill in what is missing."""
    how = read_settings(HeadSettings, "heads")
    platform = Platform(pl.read_parquet(TABLES / "items.parquet"), how)
    told: dict[str, Any] = {}
    tables = [pl.DataFrame(schema=INFERRED)]
    for field in CLASS_FIELDS:
        labels = ClassLabels.of(platform.items[field], how.least_items)
        if not labels.classes:
            told[field] = {"classes": 0, "inferred_of": 0}
            say(f"{field}: none learned; the most frequent is of {labels.most} items, and {how.least_items} are needed")
            continue
        head, reached = platform.learn(labels)
        head.write(HEADS / field)
        missing = np.flatnonzero(~labels.given)
        found = named(labels.classes, head.confidences(platform.vectors[missing]), head.thresholds["items"])
        tables.append(table_of(field, platform.items[ITEM].to_numpy()[missing], found))
        told[field] = {"classes": len(labels.classes), **reached, "inferred_of": sum(map(bool, found))}
        say(f"{field}: {_sentence(told[field], len(missing))}")
    write_table(pl.concat(tables), HEADS / TABLE)
    write_json(told, METRICS)


@dataclass(frozen=True)
class Platform:
    """The items of a platform and what its language model makes of their texts."""

    items: pl.DataFrame
    how: HeadSettings

    @cached_property
    def encoder(self) -> Encoder:
        """The tuned language model, loaded when there is something to learn."""
        return Encoder.load(ENCODER, read_settings(EncoderSettings, "encoder"))

    @cached_property
    def vectors(self) -> np.ndarray:
        """Of the items' texts without categories and tags: (n_items, d)."""
        return self.encoder.encode(texts_without_classes(self.items))

    @cached_property
    def written(self) -> tuple[np.ndarray, np.ndarray]:
        """Vectors (m, d) of the latest that users wrote about items, and the rows of these (m,)."""
        events = pl.read_parquet(TABLES / "interactions.parquet", columns=[ITEM, TEXT, TIMESTAMP])
        said = events.filter(pl.col(TEXT).str.strip_chars() != "").sort(TIMESTAMP, ITEM, TEXT)
        latest = said.tail(self.how.most_texts)
        rows = latest.join(self.items.select(ITEM).with_row_index(), on=ITEM, how="inner", maintain_order="left")
        return self.encoder.encode(rows[TEXT].to_list()), rows["index"].to_numpy()

    def learn(self, labels: ClassLabels) -> tuple[ClassHead, dict[str, Any]]:
        """A head for these classes and what it reaches, as `learn` says."""
        texts, of_texts = self.written
        rows = sample(np.flatnonzero(labels.given), self.how.most_items, self.how.seed)
        known = labels.given[of_texts]
        examples = Examples.of(self.vectors, rows, texts[known], of_texts[known])
        return learn(examples, labels, self.encoder.encode(labels.classes), self.how)


def _sentence(facts: dict[str, Any], missing: int) -> str:
    judged = facts["items"]
    return (
        f"{facts['classes']} classes; of items left out macro-F1 {judged['macro_f1']:.3f}, calibration error "
        f"{judged['calibration_error']:.3f}; filled in for {facts['inferred_of']:,} of {missing:,} items without"
    )


if __name__ == "__main__":
    run(main)
