"""From a photograph to a fitted head: landmarks, camera, identity, expression."""
