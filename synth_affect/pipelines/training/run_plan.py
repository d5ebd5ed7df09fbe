"""What a folder of a long run is for, so that nothing else goes on in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from synth_affect.data.atomic import atomic_write
from synth_affect.errors import InputError

PLAN = "plan.json"


def claim_run(out: Path, plan: Mapping[str, Any]) -> None:
    """Make the folder for a run of this plan (JSON values), or see that it is one.

    Raises InputError when it cannot be made, or holds a run with another plan.
    """
    plan = json.loads(json.dumps(dict(plan)))  # as it will be read again
    try:
        out.mkdir(parents=True, exist_ok=True)
        before = json.loads((out / PLAN).read_text("utf-8"))
    except FileNotFoundError:
        with atomic_write(out / PLAN) as file:
            file.write((json.dumps(plan, indent=2) + "\n").encode())
        return
    except (OSError, ValueError) as error:
        raise InputError(out / PLAN, f"cannot be read ({error})") from error
    other = [name for name in plan if plan[name] != before.get(name)] if isinstance(before, Mapping) else ["plan"]
    if other:
        raise InputError(out, f"holds a run with another {', '.join(other)}; choose another folder")
