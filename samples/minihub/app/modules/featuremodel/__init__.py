"""Feature models in UVL: list, view, upload, download."""
