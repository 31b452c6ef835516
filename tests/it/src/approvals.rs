//! Refunds above the limit: suspended, decided by people, done once.

use anyhow::{Context as _, Result, ensure};
use postern_domain::{
    Approval, ApprovalState, Channel, Digest, OperatorBinding, OperatorId, Role, Timestamp,
};
use postern_store::{Change, Commit, Page, Store as _};
use postern_test_support::host::{ACCOUNT, Host};

use crate::setup::{Customer, Town, eventually, outcome};

const ORDER: &str = "#W1204518";

/// A host whose customer has said yes to a refund that people must approve.
struct Waiting<'a> {
    town: &'a Town,
    host: Option<Host>,
    customer: Customer<'a>,
    approval: Approval,
}

/// A person with a role, signed in by a token in a file.
async fn operator(town: &Town, name: &str, role: &str) -> Result<String> {
    town.data.postern(["operator", "add", name, "--role", role]).await?;
    let token = town.data.postern(["operator", "token", name, "--json"]).await?;
    let token: serde_json::Value = serde_json::from_str(&token)?;
    let token = token["secret"].as_str().context("no token")?;
    let file = town.data.path().join(format!("{name}.token"));
    std::fs::write(&file, token)?;
    Ok(file.display().to_string())
}

/// Makes the customer's own account one of an operator: they ask for it themselves.
async fn bind(town: &Town, name: &str, customer: &Customer<'_>) -> Result<()> {
    let operator: OperatorId = name.parse()?;
    let binding = OperatorBinding {
        operator,
        roles: Role::ALL.to_vec(),
        token: Digest::of_bytes(b"token"),
        channel: Channel::Telegram,
        account: ACCOUNT.to_owned(),
        sender: customer.chat(),
        chat: customer.chat(),
        created_at: Timestamp::from_millis(1),
    };
    let changes = vec![Change::Binding(binding)];
    town.store().await?.commit(Commit { changes, ..Commit::default() }).await?;
    Ok(())
}

impl<'a> Waiting<'a> {
    /// Asks for the refund and says yes to exactly that.
    async fn asked(town: &'a Town, requester: Option<&str>) -> Result<Self> {
        let host = town.open().await?;
        let mut customer = Customer::new(town, &host, 4_518);
        customer.says("Hi, my email is ines.ruiz@example.com").await?;
        if let Some(name) = requester {
            bind(town, name, &customer).await?;
        }
        let before = customer.heard();
        customer.sends(&format!("Please refund order {ORDER}")).await?;
        let question = customer.hears(before + 1).await?;
        ensure!(question.contains("189.95 USD") && question.contains(ORDER), "{question}");
        customer.sends("Yes, please").await?;
        let told = customer.hears(before + 2).await?;
        ensure!(told.contains("A colleague has to look at this"), "{told}");
        let approval = pending(town).await?;
        ensure!(approval.amount == Some(18_995), "{approval:?}");
        ensure!(town.store().await?.record("refunds", ORDER).await?.is_none(), "it has happened");
        Ok(Self { town, host: Some(host), customer, approval })
    }

    /// Kills the host and starts the next one.
    async fn dies(&mut self) -> Result<()> {
        self.host.take().context("no host")?.kill().await?;
        let host = self.town.open().await?;
        self.customer.moves_to(&host);
        self.host = Some(host);
        Ok(())
    }

    async fn decide(&self, word: &str, token: &str) -> Result<(Option<i32>, String, String)> {
        let id = self.approval.id.as_str();
        let reason = "checked the parcel";
        let arguments = ["--token-file", token, "approval", word, id, "--reason", reason];
        outcome(&self.town.data, &arguments).await
    }

    async fn state(&self, wanted: ApprovalState) -> Result<Approval> {
        let store = self.town.store().await?;
        eventually(wanted.as_str(), || async {
            let approval = store.approval(&self.approval.id).await?;
            Ok(approval.filter(|approval| approval.state == wanted))
        })
        .await
    }

    /// The invocation runs again from its journal to the same end, and audit holds.
    async fn proves(&self) -> Result<String> {
        let id = self.approval.invocation.as_str();
        let (code, shown, complaint) = outcome(&self.town.data, &["replay", id, "--run"]).await?;
        ensure!(code == Some(0), "{complaint}");
        ensure!(shown.contains("the same end"), "{shown}");
        let (code, said, complaint) = outcome(&self.town.data, &["audit", "verify"]).await?;
        ensure!(code == Some(0), "{said} {complaint}");
        Ok(shown)
    }
}

/// The approval that waits for people.
async fn pending(town: &Town) -> Result<Approval> {
    let store = town.store().await?;
    eventually("an approval", || async {
        let page = Page { limit: 10, offset: 0 };
        let waiting = store.approvals(Some(ApprovalState::Pending), page).await?;
        Ok(waiting.into_iter().find(|approval| approval.approver.route().is_some()))
    })
    .await
}

#[tokio::test]
async fn a_large_refund_survives_the_host_and_is_done_once_when_another_approves() -> Result<()> {
    let town = Town::with_sample_shop().await?;
    let kim = operator(&town, "kim", "approver").await?;
    let lee = operator(&town, "lee", "approver").await?;
    let vera = operator(&town, "vera", "viewer").await?;
    let mut waiting = Waiting::asked(&town, Some("kim")).await?;
    waiting.dies().await?;

    let (code, _, complaint) = waiting.decide("approve", &kim).await?;
    ensure!(code == Some(1) && complaint.contains("whoever asked"), "{complaint}");
    let (code, _, complaint) = waiting.decide("approve", &vera).await?;
    ensure!(code == Some(1), "a viewer approved: {complaint}");
    let (code, said, complaint) = waiting.decide("approve", &lee).await?;
    ensure!(code == Some(0), "{said} {complaint}");

    waiting.customer.hears_of("Done. I have requested your refund of $189.95").await?;
    waiting.state(ApprovalState::Executed).await?;
    let record = town.store().await?.record("refunds", ORDER).await?.context("no refund")?;
    ensure!(record.version == 1 && record.body["amount_cents"] == 18_995, "{record:?}");

    // Decided is decided.
    let (code, _, complaint) = waiting.decide("reject", &lee).await?;
    ensure!(code == Some(1) && complaint.contains("executed"), "{complaint}");
    let shown = waiting.proves().await?;
    ensure!(shown.contains("records:put") || shown.contains("records:write"), "{shown}");
    let (_, rows, _) = outcome(&town.data, &["audit", "tail", "-n", "200", "--json"]).await?;
    for part in ["operator:lee", "approval:approved", "approval:executed", "operator:kim"] {
        ensure!(rows.contains(part), "{part} is not in audit");
    }
    ensure!(!rows.contains("ines.ruiz@example.com"), "audit has personal data");
    Ok(())
}

#[tokio::test]
async fn a_large_refund_that_is_rejected_does_not_happen() -> Result<()> {
    let town = Town::with_sample_shop().await?;
    let lee = operator(&town, "lee", "approver").await?;
    let mut waiting = Waiting::asked(&town, None).await?;
    waiting.dies().await?;
    let (code, _, complaint) = waiting.decide("reject", &lee).await?;
    ensure!(code == Some(0), "{complaint}");
    waiting.customer.hears_of("it cannot be done").await?;
    waiting.state(ApprovalState::Rejected).await?;
    ensure!(town.store().await?.record("refunds", ORDER).await?.is_none(), "it has happened");
    waiting.proves().await?;
    Ok(())
}

#[tokio::test]
async fn a_large_refund_that_nobody_decides_expires() -> Result<()> {
    let town = Town::with_sample_shop().await?;
    let file = town.data.path().join("policies/approvals.toml");
    let text = std::fs::read_to_string(&file)?;
    let start = text.find("[route.refund-managers]").context("no such route")?;
    let end = start + text[start..].find("\n\n").context("no end of the route")?;
    let short = "[route.refund-managers]\nquorum = 1\nexpires = \"2s\"\nrole = \"approver\"";
    std::fs::write(&file, format!("{}{short}{}", &text[..start], &text[end..]))?;
    town.data.postern(["policy", "apply"]).await?;

    let mut waiting = Waiting::asked(&town, None).await?;
    waiting.customer.hears_of("nobody could decide").await?;
    waiting.state(ApprovalState::Expired).await?;
    ensure!(town.store().await?.record("refunds", ORDER).await?.is_none(), "it has happened");
    let tickets = waiting.host.as_ref().context("no host")?.operator().tickets().await?;
    ensure!(tickets.iter().any(|ticket| ticket.queue.is_some()), "nobody was told: {tickets:?}");
    waiting.proves().await?;
    Ok(())
}

#[tokio::test]
async fn a_no_and_another_wish_leave_everything_as_it_was() -> Result<()> {
    let town = Town::with_sample_shop().await?;
    let host = town.open().await?;
    for (id, word, answer) in [
        (77_001, "No, thanks", "nothing was done"),
        (77_002, "What is the status of order #W1204733?", "#W1204733 is processed"),
    ] {
        let mut customer = Customer::new(&town, &host, id);
        customer.says("Hi, my email is ines.ruiz@example.com").await?;
        let before = customer.heard();
        customer.sends(&format!("Please refund order {ORDER}")).await?;
        customer.hears(before + 1).await?;
        customer.sends(word).await?;
        let told = customer.hears(before + 2).await?;
        ensure!(told.contains(answer), "{word:?}: {told}");
        // A yes that comes afterwards is a yes to nothing.
        customer.sends("yes").await?;
        customer.hears(before + 3).await?;
        ensure!(town.store().await?.record("refunds", ORDER).await?.is_none(), "it has happened");
    }
    Ok(())
}
