"""Fill an empty schema with the same data for the same seed.

Run it on the schema of 0001_base and migrate afterwards: later migrations fill what they add.
"""

import argparse
import os
import random
import sys
from datetime import UTC, date, datetime, timedelta

import psycopg

CITIES = ("Lisbon", "Porto", "Vienna", "Graz", "Oslo", "Bergen", "Turin", "Siena")
KINDS = ("Loft", "House", "Studio", "Cabin", "Flat", "Villa")
GUESTS = ("Ada", "Alan", "Barbara", "Edsger", "Grace", "Ken", "Margaret", "Tony")
EPOCH = datetime(2025, 9, 1, tzinfo=UTC)
FIRST_DAY = date(2026, 1, 1)


def listings(count: int, rng: random.Random):
    """Yield `count` rows with ids from 1 on."""
    for number in range(1, count + 1):
        city = rng.choice(CITIES)
        yield (
            number,
            f"{rng.choice(KINDS)} {number} in {city}",
            city,
            rng.randrange(4_000, 40_000),
            rng.randrange(1, 6),
            rng.random() < 0.95,
            EPOCH + timedelta(minutes=number),
        )


def reservations(count: int, listing_count: int, rng: random.Random):
    """Yield `count` rows, each for one of the listings."""
    for number in range(1, count + 1):
        arrival = FIRST_DAY + timedelta(days=rng.randrange(365))
        nights = rng.randrange(1, 15)
        made = EPOCH + timedelta(minutes=number)
        yield (
            f"SEED-{number:07d}",
            rng.randint(1, listing_count),
            rng.choice(GUESTS),
            arrival,
            arrival + timedelta(days=nights),
            nights * rng.randrange(4_000, 40_000),
            rng.choice(("confirmed", "confirmed", "confirmed", "completed", "cancelled")),
            made,
            made,
        )


def fill(url: str, listing_count: int, seed: int) -> int:
    """Empty both tables and fill them in one transaction; return the number of reservations."""
    rng = random.Random(seed)
    reservation_count = listing_count // 2
    with psycopg.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("TRUNCATE listings, reservations RESTART IDENTITY")
        with cursor.copy(
            "COPY listings (id, name, city, price_cents, bedrooms, active, updated_at) FROM STDIN"
        ) as copy:
            for row in listings(listing_count, rng):
                copy.write_row(row)
        with cursor.copy(
            "COPY reservations (reference, listing_id, guest_name, check_in, check_out,"
            " total_cents, status, created_at, updated_at) FROM STDIN"
        ) as copy:
            for row in reservations(reservation_count, listing_count, rng):
                copy.write_row(row)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ANALYZE listings, reservations")
    return reservation_count


def main() -> None:
    """Command line: `python -m hostaway_mcp.seed --listings N --seed S`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--listings", type=int, default=5_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    if asked.listings < 0:
        parser.error("--listings must not be negative")
    made = fill(os.environ["DATABASE_URL"], asked.listings, asked.seed)
    sys.stdout.write(
        f"seeded {asked.listings} listings and {made} reservations (seed {asked.seed})\n"
    )


if __name__ == "__main__":
    main()
