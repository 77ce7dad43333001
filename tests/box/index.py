"""Writes the index of a folder of Python packages as PyPI serves it to pip, with the times of upload: index.py WHEELS FOLDER."""

import hashlib
import json
import pathlib
import re
import sys

# Of a file whose time matters to nobody.
LONG_AGO = "2025-06-01T00:00:00Z"

wheels, index = map(pathlib.Path, sys.argv[1:])
times = dict(line.split("\t") for line in (wheels / "upload-times.tsv").read_text().splitlines())
projects = {}
for file in sorted(wheels.iterdir()):
    if file.name.endswith(".whl"):
        name, version = file.name.split("-")[:2]
    elif file.name.endswith(".tar.gz"):
        name, version = file.name.removesuffix(".tar.gz").rsplit("-", 1)
    else:
        continue
    versions, files = projects.setdefault(re.sub(r"[-_.]+", "-", name).lower(), (set(), []))
    versions.add(version)
    files.append({
        "filename": file.name,
        "url": f"https://files.pythonhosted.org/{file.name}",
        "hashes": {"sha256": hashlib.sha256(file.read_bytes()).hexdigest()},
        "size": file.stat().st_size,
        "upload-time": times.get(file.name, LONG_AGO),
    })

# As PyPI has it: a version with wheels for Python 3.12 at most. It is listed alone.
versions, files = projects.setdefault("zstandard", (set(), []))
versions.add("0.22.0")
older = "zstandard-0.22.0-cp312-cp312-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
files.append({"filename": older, "url": f"https://files.pythonhosted.org/{older}", "hashes": {}, "upload-time": LONG_AGO})

for name, (versions, files) in projects.items():
    folder = index / "simple" / name
    folder.mkdir(parents=True)
    document = {"meta": {"api-version": "1.1"}, "name": name, "versions": sorted(versions), "files": files}
    (folder / "index.json").write_text(json.dumps(document))
