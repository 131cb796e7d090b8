"""The model card: a release's purpose, training data, quality and limits."""

from collections.abc import Mapping
from typing import Any

TEMPLATE = """\
# Model card

Strata learns users' interests from behaviour and text, sorts them into tiers and recommends from them.

## Made from
- source `{source}`: {events:,} interactions, {items:,} items, {users:,} users, up to {until}
- refused rows: {quarantined:,} (artifacts/tables/quarantine.parquet says why)
- language model: `{base}`, fine-tuned ({tune}) on behaviour before {finetuned_until}

| next item from history, validation window | NDCG@10 |
|---|---|
| as published (zero-shot) | {zero_shot} |
| fine-tuned | {tuned} |

Kept: {kept}.

## Interests
{points:,} points of {profiled:,} users ({per_user:.1f} each):
{core:,} core, {stable:,} stable, {momentary:,} momentary.

Core: in at least {core_persistence:.0%} of the user's active weeks; stable: in at least {stable_persistence:.0%};
momentary: {momentary_events} times or more in the last {recent_days} days, and not over. With fewer than
{min_periods} active weeks everything is momentary.

![The catalogue's themes](pictures/themes.png)
![One user's interests on the map](pictures/interests.png)
![The same user's tiers over time](pictures/tiers-over-time.png)

## Quality
{table}
## Limits
- The test window lies after everything that was learned, tuned or chosen; the released models then learn from all data.
- Users without history get what is popular. Users with few active periods have momentary interests only.
- Interests are what behaviour shows, not who someone is; do not use them for decisions about persons.
"""


def model_card(facts: Mapping[str, Any]) -> str:
    """Fill in the card; `facts` must hold every placeholder of TEMPLATE."""
    return TEMPLATE.format(**facts)
