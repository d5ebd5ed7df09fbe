"""The picture that an edit is compared with: a random one of the same person with the wanted expression."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from synth_affect.editors.faces import CATEGORIES, EditorFaces
from synth_affect.editors.fexgan.settings import CLASSES
from synth_affect.errors import InputError
from synth_affect.optional import import_optional

if TYPE_CHECKING:
    from torch import Tensor

CLASS_OF_CATEGORY = np.array([*(CLASSES.index(c) if c in CLASSES else -1 for c in CATEGORIES), -1], dtype=np.int64)
"""Number in CLASSES of each number in CATEGORIES, and of MIXED, which is the last; -1 where the paper has none."""


class SamePerson:
    """Draws targets among the faces that are trained on, with torch's random numbers."""

    def __init__(self, faces: EditorFaces) -> None:
        """Raises InputError when nobody is seen with two of the classes."""
        torch = import_optional("torch", "train")
        classes, people = CLASS_OF_CATEGORY[faces.categories], faces.people
        n_people = int(people.max()) + 1 if len(people) else 0
        places = [
            [np.flatnonzero((people == person) & (classes == number)) for number in range(len(CLASSES))]
            for person in range(n_people)
        ]
        counts = np.array([[len(numbers) for numbers in of_person] for of_person in places]).reshape(-1, len(CLASSES))
        if not ((counts > 0).sum(axis=1) > 1).any():
            raise InputError("--data", "shows nobody with two of the seven expressions, which is what is learnt from")
        table = np.zeros((n_people, len(CLASSES), counts.max()), dtype=np.int64)
        for person, of_person in enumerate(places):
            for number, found in enumerate(of_person):
                table[person, number, : len(found)] = found
        self._table, self._counts = torch.from_numpy(table), torch.from_numpy(counts)

    def draw(self, people: Tensor) -> tuple[Tensor, Tensor]:
        """(batch,) classes, each as likely as any that the person is seen with, and (batch,) numbers of pictures.

        people : (batch,) on the CPU, of whom every one is seen with a class.
        """
        torch = import_optional("torch", "train")
        classes = torch.multinomial((self._counts[people] > 0).float(), 1)[:, 0]
        nth = (torch.rand(len(people)) * self._counts[people, classes]).long()
        return classes, self._table[people, classes, nth]
