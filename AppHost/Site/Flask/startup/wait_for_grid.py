"""Waits until the Selenium grid that SELENIUM_GRID_URL names has the browser: wait_for_grid.py BROWSER SECONDS."""

import json
import os
import sys
import time
import urllib.request


def browsers(status):
    """The browsers of the nodes that are up; None for a grid that has no nodes of its own, such as a bare driver."""
    if "nodes" not in status:
        return None
    return {
        slot.get("stereotype", {}).get("browserName")
        for node in status["nodes"]
        if node.get("availability", "UP") == "UP"
        for slot in node.get("slots", [])
    }


def main(browser, seconds):
    grid = os.environ.get("SELENIUM_GRID_URL", "").rstrip("/")
    if not grid:
        sys.exit("this checkout runs no Selenium grid. Start one with Uvlhub:Services (selenium-hub, selenium-chrome), or name yours in SELENIUM_GRID_URL of its .env")

    # The grid is a neighbour; the engine may give containers a proxy, which does not know it.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    deadline = time.monotonic() + seconds
    while True:
        try:
            with opener.open(f"{grid}/status", timeout=5) as answer:
                status = json.load(answer)["value"]
            known = browsers(status)
            if status.get("ready") and (known is None or browser in known):
                return
            problem = f"it has {', '.join(sorted(filter(None, known or ()))) or 'no browser'}, and {browser} is wanted"
        except (OSError, ValueError, KeyError, TypeError) as error:
            problem = str(error)
        if time.monotonic() > deadline:
            sys.exit(f"the grid at {grid} is not ready after {seconds:.0f} s: {problem}")
        time.sleep(1)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
