"""Films, books, music, games: formats of public data sets."""

from pathlib import Path
from typing import Final

from benchmarks.init.files import GENRES, Log, Writer, lines, table

RATINGS = [1, 2, 3, 4, 5]


def _epoch(log: Log) -> list[int]:
    return [int(time.timestamp()) for time in log.times()]


def movielens_100k(folder: Path) -> None:
    """u.data, u.item in Latin-1 with flags of genres, u.user, and what else lies there."""
    log = Log(1)
    rows = [(u, i, log.pick(RATINGS), t) for (u, i), t in zip(log.pairs(), _epoch(log), strict=True)]
    log.rng.shuffle(rows)
    lines(folder / "u.data", rows, "\t")
    lines(folder / "u1.base", rows[:400], "\t")
    lines(folder / "u1.test", rows[400:], "\t")
    items = []
    for item in range(1, log.items + 1):
        year = 1950 + item % 49
        name = f"{'Café ' if item % 40 == 0 else ''}{log.title()} ({year})"
        flags = [int(log.rng.random() < 0.12) for _ in range(19)]
        items.append(
            (item, name, f"{1 + item % 28:02}-Jan-{year}", "", f"http://us.imdb.com/M/title-exact?{item}", *flags)
        )
    lines(folder / "u.item", items, "|", "latin-1")
    users = [
        (u, 18 + u % 50, log.pick("MF"), log.pick(["student", "writer", "other"]), f"{10000 + 37 * u}")
        for u in range(1, 61)
    ]
    lines(folder / "u.user", users, "|")
    lines(folder / "u.genre", [(genre, place) for place, genre in enumerate(["unknown", *GENRES])], "|")
    (folder / "README").write_text("SUMMARY & USAGE LICENSE\n")


def movielens_1m(folder: Path) -> None:
    """Files whose columns stand between ::, titles in Latin-1."""
    log = Log(2)
    rows = [(u, i, log.pick(RATINGS), t) for (u, i), t in zip(log.pairs(), _epoch(log), strict=True)]
    lines(folder / "ratings.dat", sorted(rows), "::")
    titled = [
        (i, f"{log.title()}{' é' if i % 30 == 0 else ''} ({1950 + i % 50})", "|".join(log.some(GENRES)))
        for i in range(1, 121)
    ]
    lines(folder / "movies.dat", titled, "::", "latin-1")
    users = [
        (u, log.pick("MF"), log.pick([1, 18, 25, 35, 45, 50, 56]), log.pick(range(21)), f"{10000 + 37 * u}")
        for u in range(1, 61)
    ]
    lines(folder / "users.dat", users, "::")


def movielens_latest(folder: Path) -> None:
    """CSV files with headers: half stars, tags beside ratings, links."""
    log = Log(3)
    pairs, times = log.pairs(), _epoch(log)
    stars = [each / 2 for each in range(1, 11)]
    rows = [(u, i, log.pick(stars), t) for (u, i), t in zip(pairs, times, strict=True)]
    table(folder / "ratings.csv", [("userId", "movieId", "rating", "timestamp"), *sorted(rows)])
    genres = ["|".join(log.some(GENRES)) if i % 25 else "(no genres listed)" for i in range(1, 121)]
    titles = [f"{log.title()}, The ({1950 + i % 60})" for i in range(1, 121)]
    table(folder / "movies.csv", [("movieId", "title", "genres"), *zip(range(1, 121), titles, genres, strict=True)])
    tags = [
        (u, i, log.pick(["funny", "dark", "Oscar (Best Picture)"]), t)
        for (u, i), t in zip(pairs[:40], times, strict=False)
    ]
    table(folder / "tags.csv", [("userId", "movieId", "tag", "timestamp"), *tags])
    table(
        folder / "links.csv", [("movieId", "imdbId", "tmdbId"), *((i, f"{i * 997:07}", i * 13) for i in range(1, 121))]
    )


def book_crossing(folder: Path) -> None:
    """Semicolons, quotation marks, Latin-1, backslashes before marks, zeros for no rating, no times."""
    log = Log(4)
    books = [f"{(3_400_000_000 + 7_919 * i) % 10_000_000_000:010}"[:9] + log.pick("0123456789X") for i in range(1, 121)]
    rated = [("User-ID", "ISBN", "Book-Rating")]
    rated += [
        (
            str(276_000 + u),
            books[i - 1],
            str(log.pick([0, *range(1, 11)], [0.62, *[0.01] * 4, *[0.05] * 4, 0.08, 0.06])),
        )
        for u, i in log.pairs()
    ]
    named = [
        (
            "ISBN",
            "Book-Title",
            "Book-Author",
            "Year-Of-Publication",
            "Publisher",
            "Image-URL-S",
            "Image-URL-M",
            "Image-URL-L",
        )
    ]
    for place, isbn in enumerate(books):
        title = (
            log.title() + (' \\"Deluxe\\"' if place % 20 == 3 else "") + (" für Anfänger" if place % 10 == 5 else "")
        )
        image = f"http://images.amazon.com/images/P/{isbn}.01"
        year = str(1960 + place % 44 if place % 30 else 0)
        named.append(
            (
                isbn,
                title,
                f"{log.title()} Böll",
                year,
                "Droemer & Knaur",
                f"{image}.THUMB.jpg",
                f"{image}.MZ.jpg",
                f"{image}.LZ.jpg",
            )
        )
    people = [("User-ID", "Location", "Age")]
    people += [
        (
            str(276_000 + u),
            log.pick(["münchen, bayern, germany", "nyc, new york, usa"]),
            log.pick(["NULL", '"18"', '"34"']),
        )
        for u in range(1, 61)
    ]
    quoted = {"BX-Book-Ratings.csv": rated, "BX-Books.csv": named, "BX-Users.csv": people}
    for name, rows in quoted.items():
        cells = [[c if c == "NULL" or c.startswith('"') else f'"{c}"' for c in row] for row in rows]
        lines(folder / name, cells, ";", "latin-1")


def lastfm_360k(folder: Path) -> None:
    """Plays of artists by users' hashes, no header, no times."""
    log = Log(5)
    users = [f"{int(log.rng.integers(1 << 62)):040x}" for _ in range(60)]
    mbids = [
        f"{int(log.rng.integers(1 << 30)):08x}-{i:04x}-4bcd-9e0f-{int(log.rng.integers(1 << 40)):012x}"
        for i in range(120)
    ]
    artists = [f"{log.title()} {chr(65 + i % 26)}{i}" for i in range(120)]
    plays = [
        (users[u - 1], mbids[i - 1] if i % 9 else "", artists[i - 1], int(log.rng.pareto(1) * 40) + 1)
        for u, i in log.pairs()
    ]
    lines(folder / "usersha1-artmbid-artname-plays.tsv", plays, "\t")
    profiles = [
        (user, log.pick(["m", "f", ""]), log.pick(["22", "31", ""]), log.pick(["Germany", "Japan"]), "Feb 1, 2007")
        for user in users
    ]
    lines(folder / "usersha1-profile.tsv", profiles, "\t")


def lastfm_hetrec(folder: Path) -> None:
    """Tabs and headers in .dat files; weight is a number of plays."""
    log = Log(6)
    plays = [(u, i, int(log.rng.pareto(1) * 200) + 1) for u, i in log.pairs()]
    lines(folder / "user_artists.dat", [("userID", "artistID", "weight"), *plays], "\t")
    artists = [
        (i, log.title(), f"http://www.last.fm/music/{i}", f"http://userserve-ak.last.fm/serve/252/{i}.jpg")
        for i in range(1, 121)
    ]
    lines(folder / "artists.dat", [("id", "name", "url", "pictureURL"), *artists], "\t")


def steam(folder: Path) -> None:
    """User, game, purchase or play, hours, 0: no header, no times, no table of games."""
    log = Log(8)
    games = [f"{log.title()} {i}" if i % 12 else f"{log.title()} {i}, Director's Cut" for i in range(1, 121)]
    rows: list[tuple[object, ...]] = []
    for user, item in log.pairs(400):
        rows.append((151_603_000 + user, games[item - 1], "purchase", "1.0", 0))
        if log.rng.random() < 0.6:
            rows.append((151_603_000 + user, games[item - 1], "play", f"{log.rng.exponential(20):.1f}", 0))
    table(folder / "steam-200k.csv", rows)


WRITERS: Final[dict[str, Writer]] = {
    "movielens-100k": movielens_100k,
    "movielens-1m": movielens_1m,
    "movielens-latest-small": movielens_latest,
    "book-crossing": book_crossing,
    "lastfm-360k": lastfm_360k,
    "lastfm-hetrec": lastfm_hetrec,
    "steam-200k": steam,
}
