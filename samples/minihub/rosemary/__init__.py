"""The command line of minihub."""
