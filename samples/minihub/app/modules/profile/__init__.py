"""Who somebody is, and what they uploaded."""
