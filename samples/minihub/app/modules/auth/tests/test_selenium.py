"""In a real browser, on the running site and its own database: ``rosemary selenium auth``."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import presence_of_element_located
from selenium.webdriver.support.ui import WebDriverWait

from core.targets import open_browser, site_url


@pytest.fixture
def browser():
    browser = open_browser()
    yield browser
    browser.quit()


def log_in(browser, password):
    browser.get(f"{site_url('SELENIUM_TARGET_URL')}/login")
    browser.find_element(By.NAME, "email").send_keys("user1@example.com")
    browser.find_element(By.NAME, "password").send_keys(password)
    browser.find_element(By.CSS_SELECTOR, "main form button").click()


def test_a_seeded_user_logs_in_and_out(browser):
    log_in(browser, "1234")
    log_out = WebDriverWait(browser, 15).until(presence_of_element_located((By.CSS_SELECTOR, 'a[href="/logout"]')))
    log_out.click()
    WebDriverWait(browser, 15).until(presence_of_element_located((By.CSS_SELECTOR, 'a[href="/login"]')))


def test_a_wrong_password_is_refused(browser):
    log_in(browser, "wrong")
    error = WebDriverWait(browser, 15).until(presence_of_element_located((By.CLASS_NAME, "field-error")))
    assert error.text == "E-mail or password is wrong."
