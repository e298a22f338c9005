"""Pictures, video, markers and reports of what the suite perceives."""
