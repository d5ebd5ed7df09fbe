"""Options of commands that read their outputs again, and what is asked for with them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from synth_affect.errors import InputError

if TYPE_CHECKING:
    from synth_affect.pipelines.verify import VerifierChoice

JudgeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--judge", metavar="KIND=FILE", help="With --verify: a judge of affect, see evaluate editor. Repeatable."
    ),
]
IdentityOption = Annotated[
    list[str] | None,
    typer.Option("--identity", metavar="KIND=FILE", help="With --verify: a judge of identity. Repeatable."),
]


def verifier_choice(verify: bool, judge: list[str] | None, identity: list[str] | None) -> VerifierChoice | None:
    """None where nothing is to be read.

    Raises InputError for a judge without --verify, one that is none, or whose file is not there.
    """
    for option, given in (("--judge", judge), ("--identity", identity)):
        if given and not verify:
            raise InputError(option, "reads the output of --verify; give that too")
    if not verify:
        return None
    from synth_affect.pipelines.verify import VerifierChoice

    return VerifierChoice(tuple(judge or ()), tuple(identity or ()))
