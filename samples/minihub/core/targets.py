"""Where a test that comes from outside finds the site, and the browser that it drives."""

import os
import shutil

from core.environment import working_dir


def site_url(variable: str) -> str:
    """The site as the tester reaches it: what ``variable`` says; else nginx by its container's name, in Docker."""
    default = "http://nginx_web_server_container" if working_dir() == "/app/" else "http://localhost:5000"
    return os.getenv(variable, default).rstrip("/")


def open_browser():
    """A browser of the grid that SELENIUM_GRID_URL names, else one of this machine. SELENIUM_BROWSER: chrome, firefox."""
    from selenium import webdriver

    name = os.getenv("SELENIUM_BROWSER", "chrome").lower()
    if name not in ("chrome", "firefox"):
        raise ValueError(f"SELENIUM_BROWSER is '{name}'; it must be chrome or firefox")

    options = webdriver.ChromeOptions() if name == "chrome" else webdriver.FirefoxOptions()
    grid = os.getenv("SELENIUM_GRID_URL")
    if grid:
        browser = webdriver.Remote(command_executor=grid, options=options)
    elif name == "chrome":
        options.add_argument("--headless=new")
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            # Chrome refuses its sandbox to root, and in a container everybody is root.
            options.add_argument("--no-sandbox")
        browser = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
    else:
        options.add_argument("--headless")
        browser = webdriver.Firefox(options, webdriver.FirefoxService(shutil.which("geckodriver")))

    # The nodes open windows of different sizes; a page must not look different for that.
    browser.set_window_size(1280, 900)
    return browser
