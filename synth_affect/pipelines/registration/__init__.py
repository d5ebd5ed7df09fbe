"""Raw scans brought into the template's topology: read, landmarks, registration, judgement, file."""
