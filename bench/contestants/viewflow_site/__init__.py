"""The Django application of the viewflow contestant."""
