//! The operator page in a browser, before a real host.

use fantoccini::{Client, Locator};
use postern_test_support::{browser::Browser, chat::WebChat, host::ACCOUNT};
use serde_json::Value;

use crate::{
    setup::{PATIENCE, Town},
    web_chat::wait_for,
};

async fn text_of(page: &Client, css: &str) -> String {
    page.find(Locator::Css(css)).await.unwrap().text().await.unwrap()
}

async fn sign_in(page: &Client, token: &str) {
    let field = page.find(Locator::Css("#token")).await.unwrap();
    field.send_keys(token).await.unwrap();
    page.find(Locator::Css("form.door button")).await.unwrap().click().await.unwrap();
}

#[tokio::test]
async fn an_operator_signs_in_and_sees_why_an_order_was_refused() {
    let Some(browser) = Browser::start().await.unwrap() else { return };
    let page = browser.client();
    let town = Town::with_sample_shop().await.unwrap();
    let host = town.open().await.unwrap();
    let mut chat = WebChat::open(host.public(), ACCOUNT).await.unwrap();
    for words in [
        "What is the status of my order #W1204518?",
        "ines.ruiz@example.com",
        "And what is the status of order #W1190027?",
    ] {
        chat.send(words).await.unwrap();
        chat.next_answer(PATIENCE).await.unwrap();
    }

    let address = format!("{}/conversations/{}", host.operator_page(), chat.conversation());
    page.goto(&address).await.unwrap();
    wait_for(page, "#token").await;
    assert!(page.find_all(Locator::Css(".timeline, nav")).await.unwrap().is_empty());
    sign_in(page, "not-the-token-at-all").await;
    wait_for(page, "[role=alert]").await;
    sign_in(page, &town.data.operator_token().unwrap()).await;
    wait_for(page, ".timeline").await;
    assert_eq!(page.current_url().await.unwrap().as_str(), address, "back where they wanted to go");

    let told = text_of(page, "main").await;
    for part in ["classify", "respond", "escalate", "order_status", "order-status@", "records:get"]
    {
        assert!(told.contains(part), "{part} is missing in {told}");
    }
    let refused = "//tr[.//code[text()='records-owner-only']]";
    let refused = page.find(Locator::XPath(refused)).await.unwrap().text().await.unwrap();
    for part in ["orders/#W1190027", "deny", "Only the owner.", "refused"] {
        assert!(refused.contains(part), "{part} is missing in {refused}");
    }
    assert!(!told.contains("ines.ruiz@example.com"), "values stay in the vault");
    assert!(told.contains("<EMAIL_1."), "{told}");

    page.find(Locator::LinkText("records-owner-only")).await.unwrap().click().await.unwrap();
    wait_for(page, "tr:target").await;
    assert!(text_of(page, "tr:target").await.contains("forbid"));
    page.find(Locator::LinkText("Skills")).await.unwrap().click().await.unwrap();
    wait_for(page, "section#order-status").await;
    let skill = text_of(page, "section#order-status").await;
    for part in ["postern:records", "granted", "order_status", "64 MiB"] {
        assert!(skill.contains(part), "{part} is missing in {skill}");
    }

    page.find(Locator::Css("header form button")).await.unwrap().click().await.unwrap();
    wait_for(page, "#token").await;
}

#[tokio::test]
async fn an_approver_decides_a_refund_in_the_inbox() {
    let Some(browser) = Browser::start().await.unwrap() else { return };
    let page = browser.client();
    let town = Town::with_sample_shop().await.unwrap();
    let data = &town.data;
    data.postern(["operator", "add", "lee", "--role", "approver"]).await.unwrap();
    let token = data.postern(["--json", "operator", "token", "lee"]).await.unwrap();
    let token: Value = serde_json::from_str(&token).unwrap();
    let host = town.open().await.unwrap();
    let mut chat = WebChat::open(host.public(), ACCOUNT).await.unwrap();
    for words in
        ["My email is ines.ruiz@example.com", "Please refund order #W1204518", "Yes, please"]
    {
        chat.send(words).await.unwrap();
        chat.next_answer(PATIENCE).await.unwrap();
    }

    page.goto(&format!("{}/approvals", host.operator_page())).await.unwrap();
    wait_for(page, "#token").await;
    sign_in(page, token["secret"].as_str().unwrap()).await;
    wait_for(page, "td a.id").await;
    page.find(Locator::Css("td a.id")).await.unwrap().click().await.unwrap();
    wait_for(page, "#reason").await;
    let told = text_of(page, "main").await;
    for part in
        ["refund-check wants records:write on refunds/", "189.95", "The customer's own words"]
    {
        assert!(told.contains(part), "{part} is missing in {told}");
    }
    assert!(!told.contains("ines.ruiz@example.com"), "{told}");
    let wrote = text_of(page, "blockquote").await;
    assert!(wrote.contains("Please refund order"), "{wrote}");
    let field = page.find(Locator::Css("#reason")).await.unwrap();
    field.send_keys("seen the receipt").await.unwrap();
    page.find(Locator::Css("button[value=approve]")).await.unwrap().click().await.unwrap();
    wait_for(page, ".badge.allow").await;
    let told = text_of(page, "main").await;
    assert!(told.contains("lee") && told.contains("seen the receipt"), "{told}");
    let answer = chat.next_answer(PATIENCE).await.unwrap();
    assert!(answer.text.contains("I have requested your refund"), "{}", answer.text);
}
