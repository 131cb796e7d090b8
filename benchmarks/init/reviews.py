"""Reviews as JSON lines: formats of public data sets."""

from pathlib import Path
from typing import Final

from benchmarks.init.files import Log, Writer, json_lines


def amazon_2018(folder: Path) -> None:
    """Packed JSON lines, prices with signs, lists of descriptions, two columns of times."""
    log = Log(17)
    asins = [f"B00{i * 7_919 % 10_000_000:07}" for i in range(1, 121)]
    reviews = [
        {
            "overall": float(log.pick([1, 2, 3, 4, 5])),
            "verified": bool(log.rng.random() < 0.8),
            "reviewTime": f"{t:%m %d, %Y}",
            "reviewerID": f"A{u:013}",
            "asin": asins[i - 1],
            "reviewerName": log.title(),
            "reviewText": log.text(),
            "summary": log.title(),
            "unixReviewTime": int(t.timestamp()) // 86_400 * 86_400,
        }
        for (u, i), t in zip(log.pairs(), log.times(), strict=True)
    ]
    json_lines(folder / "Luxury_Beauty_5.json.gz", reviews)
    meta = [
        {
            "category": [],
            "tech1": "",
            "description": [log.text()] if i % 3 else [],
            "fit": "",
            "title": log.title(),
            "also_buy": [],
            "brand": log.title(),
            "feature": [],
            "rank": f"{i:,} in Beauty (",
            "also_view": [],
            "main_cat": "Luxury Beauty",
            "similar_item": "",
            "date": "",
            "price": f"${i / 4:.2f}" if i % 5 else "",
            "asin": asin,
            "imageURL": [],
        }
        for i, asin in enumerate(asins)
    ]
    json_lines(folder / "meta_Luxury_Beauty.json.gz", meta)


def amazon_2023(folder: Path) -> None:
    """Variants share a parent by which metadata is found; times in milliseconds; a review has a title too."""
    log = Log(18)
    parents = [f"B0{i * 7_919 % 100_000_000:08}" for i in range(1, 121)]
    reviews = [
        {
            "rating": float(log.pick([1, 2, 3, 4, 5])),
            "title": log.title(),
            "text": log.text(),
            "images": [],
            "asin": parents[i - 1] if i % 3 else f"B1{i:08}",
            "parent_asin": parents[i - 1],
            "user_id": f"AE{u:026}",
            "timestamp": int(t.timestamp() * 1000),
            "helpful_vote": int(log.rng.integers(5)),
            "verified_purchase": True,
        }
        for (u, i), t in zip(log.pairs(), log.times(), strict=True)
    ]
    json_lines(folder / "All_Beauty.jsonl.gz", reviews)
    meta = [
        {
            "main_category": "All Beauty",
            "title": log.title(),
            "average_rating": 4.5,
            "rating_number": i,
            "features": [],
            "description": [log.text(8)],
            "price": i / 4 if i % 4 else None,
            "images": [{"thumb": "https://m.media-amazon.com/a.jpg", "variant": "MAIN"}],
            "videos": [],
            "store": log.title(),
            "categories": log.some(["Hair", "Skin", "Nails"]),
            "details": {"Brand": "Yes To"},
            "parent_asin": p,
            "bought_together": None,
        }
        for i, p in enumerate(parents)
    ]
    json_lines(folder / "meta_All_Beauty.jsonl.gz", meta)


def yelp(folder: Path) -> None:
    """JSON lines: reviews, businesses, users, tips, check-ins."""
    log = Log(19)
    users, places = (
        [f"{kind}{int(log.rng.integers(1 << 60)):021d}" for _ in range(n)] for kind, n in (("u", 60), ("b", 120))
    )
    pairs, times = log.pairs(), log.times()
    reviews = [
        {
            "review_id": f"r{n:021}",
            "user_id": users[u - 1],
            "business_id": places[i - 1],
            "stars": float(log.pick([1, 2, 3, 4, 5])),
            "useful": int(log.rng.integers(4)),
            "funny": 0,
            "cool": 1,
            "text": log.text(),
            "date": f"{t:%Y-%m-%d %H:%M:%S}",
        }
        for n, ((u, i), t) in enumerate(zip(pairs, times, strict=True))
    ]
    json_lines(folder / "yelp_academic_dataset_review.json", reviews)
    business = [
        {
            "business_id": p,
            "name": log.title(),
            "address": "1 Main St",
            "city": "Tampa",
            "state": "FL",
            "postal_code": "33602",
            "latitude": 27.9 + i / 1000,
            "longitude": -82.4,
            "stars": 3.5,
            "review_count": i,
            "is_open": 1,
            "attributes": {"BikeParking": "True"},
            "categories": ", ".join(log.some(["Restaurants", "Food", "Pubs", "Burgers"])),
            "hours": None,
        }
        for i, p in enumerate(places)
    ]
    json_lines(folder / "yelp_academic_dataset_business.json", business)
    people = [
        {
            "user_id": u,
            "name": "Jane",
            "review_count": n,
            "yelping_since": "2009-01-25 04:35:42",
            "useful": 3,
            "friends": "",
            "fans": n,
            "average_stars": 3.9,
        }
        for n, u in enumerate(users)
    ]
    json_lines(folder / "yelp_academic_dataset_user.json", people)
    json_lines(
        folder / "yelp_academic_dataset_tip.json",
        [
            {
                "user_id": r["user_id"],
                "business_id": r["business_id"],
                "text": "Nice.",
                "date": r["date"],
                "compliment_count": 0,
            }
            for r in reviews[:50]
        ],
    )
    json_lines(
        folder / "yelp_academic_dataset_checkin.json",
        [{"business_id": p, "date": "2016-04-26 19:49:16, 2016-08-30 18:36:57"} for p in places],
    )


WRITERS: Final[dict[str, Writer]] = {
    "amazon-2018": amazon_2018,
    "amazon-2023": amazon_2023,
    "yelp": yelp,
}
