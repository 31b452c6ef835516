//! The chat page in a browser, before a real host.

use fantoccini::{Client, Locator, key::Key};
use postern_test_support::{
    browser::Browser,
    host::{ACCOUNT, Host},
};
use toml_edit::value;

use crate::setup::{PATIENCE, Town};

/// Waits until an element is there.
pub(crate) async fn wait_for(page: &Client, css: &str) {
    page.wait().at_most(PATIENCE).for_element(Locator::Css(css)).await.unwrap();
}

async fn open(page: &Client, host: &Host) {
    page.goto(&format!("{}/chat/{ACCOUNT}", host.public())).await.unwrap();
    wait_for(page, "#log[aria-busy=false]").await;
}

/// Writes as a customer does: keys, and Enter at the end.
async fn write(page: &Client, text: &str) {
    let field = page.find(Locator::Css("#text")).await.unwrap();
    field.send_keys(&format!("{text}{}", char::from(Key::Enter))).await.unwrap();
}

/// Waits for the answer number `n`.
async fn answers(page: &Client, n: usize) {
    // Confirmed messages only: no `.waiting` is left before the answer.
    let css = format!("#log:has(li.bot:nth-of-type({})):not(:has(.waiting))", 2 * n);
    wait_for(page, &css).await;
}

/// Authors and words, as the page shows them.
async fn shown(page: &Client) -> Vec<(String, String)> {
    let mut messages = Vec::new();
    for item in page.find_all(Locator::Css("#log li")).await.unwrap() {
        let author = item.attr("class").await.unwrap().unwrap_or_default();
        let words = item.find(Locator::Css("p")).await.unwrap();
        messages.push((author, words.text().await.unwrap()));
    }
    messages
}

#[tokio::test]
async fn a_customer_chats_and_finds_everything_again() {
    let Some(browser) = Browser::start().await.unwrap() else { return };
    let page = browser.client();
    let town = Town::with_sample_shop().await.unwrap();
    let host = town.open().await.unwrap();
    open(page, &host).await;
    write(page, "What is the status of my order #W1204518?").await;
    answers(page, 1).await;
    write(page, "ines.ruiz@example.com").await;
    answers(page, 2).await;

    let before = shown(page).await;
    let authors: Vec<_> = before.iter().map(|(author, _)| author.as_str()).collect();
    assert_eq!(authors, ["customer", "bot", "customer", "bot"]);
    assert!(before[1].1.contains("e-mail"), "{before:?}");
    assert_eq!(before[2].1, "ines.ruiz@example.com", "customers see their own values");
    assert!(before[3].1.contains("delivered"), "{before:?}");
    let typing = page.find(Locator::Css("#typing")).await.unwrap();
    assert!(!typing.is_displayed().await.unwrap(), "nobody writes any more");

    page.refresh().await.unwrap();
    wait_for(page, "#log[aria-busy=false] li:nth-of-type(4)").await;
    assert_eq!(shown(page).await, before, "neither lost nor doubled");

    // The next host knows the visitor and the conversation.
    host.stop().await.unwrap();
    let host = town.open().await.unwrap();
    open(page, &host).await;
    wait_for(page, "#log li:nth-of-type(4)").await;
    assert_eq!(shown(page).await, before);
}

#[tokio::test]
async fn words_of_a_customer_are_never_markup() {
    let Some(browser) = Browser::start().await.unwrap() else { return };
    let page = browser.client();
    let town = Town::build(&[]).await.unwrap();
    let host = town.open().await.unwrap();
    open(page, &host).await;
    let hostile =
        "<img src=x onerror=\"document.title='broken'\"><script>document.title='broken'</script>";
    write(page, hostile).await;
    answers(page, 1).await;
    page.refresh().await.unwrap();
    wait_for(page, "#log[aria-busy=false] li:nth-of-type(2)").await;
    assert_eq!(shown(page).await[0], ("customer".to_owned(), hostile.to_owned()));
    assert!(page.find_all(Locator::Css("#log img, #log script")).await.unwrap().is_empty());
    assert_eq!(page.title().await.unwrap(), "Customer support");
}

#[tokio::test]
async fn what_was_written_while_the_host_was_away_is_sent_once_when_it_is_back() {
    let Some(browser) = Browser::start().await.unwrap() else { return };
    let page = browser.client();
    let town = Town::build(&[]).await.unwrap();
    let host = town.open().await.unwrap();
    // The browser must find the next host at the same address.
    let address = host.public().trim_start_matches("http://").to_owned();
    town.data.edit_config(|config| config["server"]["public"] = value(&address)).unwrap();
    open(page, &host).await;
    host.kill().await.unwrap();
    wait_for(page, "#state.lost").await;
    write(page, "hello").await;
    wait_for(page, "#log li.waiting").await;

    let _host = town.open().await.unwrap();
    answers(page, 1).await;
    let shown = shown(page).await;
    assert_eq!(shown[0], ("customer".to_owned(), "hello".to_owned()));
    assert_eq!(shown.len(), 2, "{shown:?}");
}
