"""Independent instruments that read a face in a picture: expression units, geometry, emotion, identity.

None of them was made by this project, and nothing in it may be trained or tuned on them. `face` needs only the core's
mediapipe; `emotion` and `identity` need the packages of `requirements.txt`, in an environment of their own (README.md).
"""
