"""Prints the Python packages of the image as 'name==version' lines, sorted; Debian's Python has no pip to ask."""
import importlib.metadata

packages = {d.metadata["Name"]: d.version for d in importlib.metadata.distributions() if d.metadata["Name"]}
for name in sorted(packages, key=str.lower):
    print(f"{name}=={packages[name]}")
