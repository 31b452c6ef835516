//! `postern chat`, as a program at the other end of a pipe.

use anyhow::{Result, ensure};

use crate::setup::{Town, json_lines, text_at};

const LINES: &str = "What's the status of order #W1205408?\nravi.patel@example.com\n";

#[tokio::test]
async fn a_chat_in_the_terminal_answers_line_by_line() -> Result<()> {
    let town = Town::with_sample_shop().await?;
    let said = town.data.postern_with_input(["chat"], LINES).await?;
    ensure!(said.contains("postern> So that I can find your account"), "{said}");
    ensure!(said.contains("Ravi") && said.contains("#W1205408 is processed"), "{said}");
    ensure!(!said.contains("records:get"), "{said}");

    let said = town.data.postern_with_input(["chat", "--explain"], LINES).await?;
    ensure!(said.contains("classify: order_status"), "{said}");
    ensure!(said.contains("records:get → allow (order-status-orders"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_chat_in_json_goes_on_where_a_named_one_ended() -> Result<()> {
    let town = Town::with_sample_shop().await?;
    let chat = ["chat", "--json", "--name", "ravi"];
    let said = json_lines(&town.data.postern_with_input(chat, LINES).await?)?;
    let [asked, told] = &said[..] else { anyhow::bail!("{said:?}") };
    ensure!(text_at(asked, "/answer").contains("e-mail address"), "{asked}");
    ensure!(text_at(told, "/answer").contains("#W1205408 is processed"), "{told}");
    let calls = told["calls"].as_array().map_or(0, Vec::len);
    let stages = told["stages"].as_array().map_or(0, Vec::len);
    ensure!(calls > 0 && stages == 7, "{told}");

    let said = town.data.postern_with_input(chat, "status of order #W1205415 please\n\nnot read\n");
    let said = json_lines(&said.await?)?;
    let [told] = &said[..] else { anyhow::bail!("{said:?}") };
    ensure!(text_at(told, "/answer").contains("#W1205415 is pending"), "{told}");
    Ok(())
}

#[tokio::test]
async fn what_is_said_at_once_about_restricted_content_is_told_too() -> Result<()> {
    let town = Town::with_sample_shop().await?;
    let lines =
        "I want to kill myself\nmy card is 4111 1111 1111 1111, where is order #W1205408?\n";
    let said = town.data.postern_with_input(["chat"], lines).await?;
    ensure!(said.contains("colleague"), "{said}");
    ensure!(said.contains("never send card numbers") && !said.contains("4111"), "{said}");
    ensure!(said.contains("So that I can find your account"), "{said}");
    Ok(())
}
