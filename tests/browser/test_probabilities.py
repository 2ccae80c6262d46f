"""Token probabilities in Chromium, on the embedded model."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.pages import open_playground, set_number, settled
from tests.waiting import wait_for


def test_tokens_have_colours_details_and_alternatives_that_continue_the_answer(
    fresh_page: Page, embedded_app: str
) -> None:
    page = fresh_page
    open_playground(page, embedded_app)
    page.locator(".st-key-token_probabilities label").first.click()
    expect(page.locator(".st-key-field_top_logprobs_line, .st-key-field_top_logprobs_field").first).to_be_visible()
    set_number(page, "max_tokens", "10")
    page.locator(".st-key-run button").first.click()
    tokens = page.locator(".st-key-answer .live-text .token")
    expect(page.locator(".lens-least").first).to_be_visible()
    expect(page.locator(".st-key-answer_actions")).to_contain_text("Replay")
    text = "".join(tokens.all_text_contents())
    assert text == page.locator(".st-key-answer .live-text").text_content()
    shares_its_tokens(page, text)
    page.locator(".st-key-answer .live-text").focus()
    page.keyboard.press("Home")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".lens-head")).to_contain_text("token 2 ")
    expect(page.locator(".lens-alternative")).to_have_count(5)
    page.keyboard.press("n")
    chosen = page.locator(".lens-alternative:has(button:enabled)").first
    page.locator(".lens-branch:enabled").first.scroll_into_view_if_needed()
    before = "".join(
        tokens.all_text_contents()[: int(page.locator(".lens-head").inner_text().split("token ")[1].split()[0]) - 1]
    )
    alternative = chosen.locator(".lens-name").inner_text().strip("“”").replace("␣", " ")
    chosen.locator(".lens-branch").click()
    wait_for(
        lambda: (
            (page.locator(".st-key-answer .live-text").text_content() or "").startswith(before + alternative)
            and page.locator(".st-key-answer .live-text").text_content() != text
        )
    )


def shares_its_tokens(page: Page, text: str) -> None:
    """Share the answer with the probabilities of its tokens, which the link then shows."""
    page.locator(".st-key-share button").first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Token probabilities", exact=True).click()
    expect(dialog.get_by_role("checkbox", name="Token probabilities")).to_be_checked()
    settled(page)  # the choices count when the link is created
    dialog.locator(".st-key-publish button").first.click()
    link = dialog.locator("code", has_text="shared?c=").inner_text()
    other = page.context.new_page()
    other.goto(link)
    expect(other.locator(".st-key-answer .live-text .token").last).to_be_visible()
    wait_for(lambda: "".join(other.locator(".st-key-answer .live-text .token").all_text_contents()) == text)
    other.locator(".st-key-answer .live-text").focus()
    other.keyboard.press("Home")
    expect(other.locator(".lens-alternative")).to_have_count(5)
    other.close()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
