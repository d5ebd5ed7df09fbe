"""Head models about which nothing is known but their surface, furnished with what an edit needs."""
