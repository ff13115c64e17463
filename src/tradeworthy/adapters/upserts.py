"""One text of an upsert, as SQLite and PostgreSQL both read it."""

from collections.abc import Sequence


def quoted(name: str) -> str:
    """Return a name as SQL takes it whatever it is."""
    return f'"{name}"'


def listed(names: Sequence[str]) -> str:
    """Return names as a list of columns."""
    return ", ".join(map(quoted, names))


def upsert(place: str, key: Sequence[str], columns: Sequence[str], *, mark: str, newer: str = "") -> str:
    """Return the statement that puts a row (the key, then the other columns) by its key.

    place  the table, with its schema where it has one;  mark  the driver's parameter
    newer  a column by which an older row leaves a newer one as it is, empty = the last one given stays
    """
    names = (*key, *columns)
    changes = ", ".join(f"{quoted(one)} = excluded.{quoted(one)}" for one in columns)
    guard = f" WHERE excluded.{newer} >= {place.rpartition('.')[2]}.{newer}" if newer else ""
    return (
        f"INSERT INTO {place} ({listed(names)}) VALUES ({', '.join([mark] * len(names))})"
        f" ON CONFLICT ({listed(key)}) DO UPDATE SET {changes}{guard}"
    )
