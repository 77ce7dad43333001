"""Installs those of the named Python packages that Debian has, as far as they are not there, and prints the names that
have no entry among the image's packages although they are there now (bs4): install.py NAME... > LIST

What cannot be installed is left out: a module that imports it does not load, and the site's log names it.
"""
import importlib.metadata
import re
import subprocess
import sys

# Debian's own table of the packages that have Python packages of other names: PyJWT is python3-jwt.
NAMES = "/usr/share/dh-python/dist/cpython3_fallback"


def normalise(name):
    """PEP 503: runs of '-', '_' and '.' are one dash, letters are lower case."""
    return re.sub(r"[-_.]+", "-", name).lower()


def names():
    return {normalise(d.metadata["Name"]) for d in importlib.metadata.distributions() if d.metadata["Name"]}


def apt(*arguments):
    command = ["apt-get", "-y", "--no-install-recommends", "--no-remove", *arguments]
    return subprocess.run(command, stdout=sys.stderr).returncode == 0


def exists(package):
    return subprocess.run(["apt-cache", "show", "--no-all-versions", package], capture_output=True).returncode == 0


def version(package):
    query = subprocess.run(["dpkg-query", "--show", "--showformat=${Version}", package], capture_output=True, text=True)
    return query.stdout


present = names()
missing = [name for name in map(normalise, sys.argv[1:]) if name not in present]
if not missing:
    sys.exit()

apt("update")
if not apt("install", "dh-python"):
    # As on the stand-in alone, which may have been built when the mirror still answered.
    print("No mirror of Debian answers: left out are", missing, file=sys.stderr)
    sys.exit()

with open(NAMES, encoding="utf-8") as table:
    known = {normalise(words[0]): words[1] for words in map(str.split, table) if len(words) == 2}

packages = {name: package for name in missing if exists(package := known.get(name, f"python3-{name}"))}
print("Debian has", list(packages.values()), "and lacks", [name for name in missing if name not in packages], file=sys.stderr)
# Together, and where one of them stands in the way, each by itself.
if packages and not apt("install", *packages.values()):
    for package in packages.values():
        apt("install", package)

present = names()
for name, package in packages.items():
    if name not in present and version(package):
        print(f"{name}=={version(package)}")
