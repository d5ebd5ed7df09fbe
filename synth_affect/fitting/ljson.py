"""menpo's `.ljson`: where in the JSON the points stand. What a point is, its readers say (pictures, scans)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from synth_affect.errors import InputError


def ljson_points(text: str, path: Path) -> list[Any]:
    """The points in the text of an `.ljson` file, in order, as JSON has them.

    Versions 1 (groups that together are the points), 2 (points and labels) and 3 (named sets of them) are read.
    Raises InputError, which names the line where there is one, when it is not laid out so or holds several sets.
    """
    try:
        return _lists(json.loads(text), path)
    except json.JSONDecodeError as error:
        raise InputError(path, f"line {error.lineno} is not JSON: {error.msg}") from None
    except (ValueError, RecursionError):  # a number of thousands of digits; brackets without end
        raise InputError(path, "not JSON that can be read") from None
    except (KeyError, TypeError, AttributeError, IndexError):
        raise InputError(path, "not laid out as menpo's ljson") from None


def _lists(content: Any, path: Path) -> list[Any]:
    version = content["version"]
    if version == 1:
        return [entry["point"] for group in content["groups"] for entry in group["landmarks"]]
    if version == 2:
        return list(content["landmarks"]["points"])
    if version == 3:
        sets = content["groups"]
        if len(sets) != 1:
            raise InputError(
                path, f"holds {len(sets)} sets of landmarks ({', '.join(sets)[:80]}); give a file with one"
            )
        (only,) = sets.values()
        return list(only["landmarks"]["points"])
    raise InputError(path, f"an ljson file of version {str(version)[:20]!r}; 1, 2 and 3 are read")
