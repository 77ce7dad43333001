"""Which of the requirements NAME==VERSION have wheels, but none for this Python: NAME, the newest Python that has one, and this one, a
line each. The index is pip's own. What it does not answer for is not named."""
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from pip._vendor import requests
from pip._vendor.packaging.tags import sys_tags
from pip._vendor.packaging.utils import parse_wheel_filename
from pip._vendor.packaging.version import Version

PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"]
JSON = "application/vnd.pypi.simple.v1+json"
HERE = set(sys_tags())


def index():
    # A variable's line comes after those of the files, and wins.
    settings = subprocess.run(PIP, capture_output=True, text=True).stdout
    found = re.findall(r"^(?:global|install|:env:)\.index-url='(.*)'$", settings, re.MULTILINE)
    return found[-1].rstrip("/") if found else "https://pypi.org/simple"


def files(name):
    answer = requests.get(f"{INDEX}/{name}/", headers={"Accept": f"{JSON}, text/html;q=0.1"},
                          timeout=10, verify=os.environ.get("PIP_CERT", True))
    answer.raise_for_status()
    if answer.headers["Content-Type"].startswith(JSON):
        return [file["filename"] for file in answer.json()["files"]]
    return re.findall(r">\s*([^<>\s]+\.whl)\s*<", answer.text)


def newest_python(requirement):
    name, version = requirement.split("==")
    pythons = []
    try:
        for file in files(name):
            if not file.endswith(".whl"):
                continue
            _, found, _, tags = parse_wheel_filename(file)
            if found != Version(version):
                continue
            if tags & HERE:
                return None
            pythons += [re.fullmatch(r"cp(\d)(\d+)", tag.interpreter) for tag in tags]
    except (requests.RequestException, ValueError, KeyError):
        return None
    numbers = [(int(python[1]), int(python[2])) for python in pythons if python]
    # A newer one than this would be no explanation.
    return f"{name} {dotted(max(numbers))} {dotted(sys.version_info[:2])}" if numbers and max(numbers) < sys.version_info[:2] else None


def dotted(version):
    return ".".join(map(str, version))


INDEX = index()
with ThreadPoolExecutor(16) as threads:
    for line in threads.map(newest_python, sys.argv[1:]):
        if line:
            print(line)
