//! Plays the conversations against a running host and compares.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use postern_domain::{Approval, Author, Channel, ConversationId};
use postern_store::{ConversationDetail, TurnRow};
use postern_test_support::{
    SupportError,
    chat::WebChat,
    host::{ACCOUNT, DataFolder, Host},
    http_client,
    operator::{Operator, settled_turns},
    telegram::TelegramApi,
    webhook::{self, Sender},
};
use serde::Deserialize;

use crate::{
    expect::{Intent, Observed, ToolRun},
    script::{Act, Place, Scene, Step},
    show::{Event, Show},
};

/// An answer takes milliseconds; a busy machine, and a first try that failed,
/// take seconds.
const PATIENCE: Duration = Duration::from_secs(30);

/// What all conversations need.
pub(crate) struct Stage<'a> {
    pub(crate) host: &'a Host,
    pub(crate) telegram: &'a TelegramApi,
    /// What Telegram's webhooks carry.
    pub(crate) secret: &'a str,
    /// The operator who approves.
    pub(crate) approver: &'a Approver<'a>,
}

/// A person who approves, by the command line.
pub(crate) struct Approver<'a> {
    pub(crate) data: &'a DataFolder,
    /// The file with their token.
    pub(crate) token: PathBuf,
}

impl Approver<'_> {
    /// Approves everything that waits for people.
    async fn approve(&self, reason: &str) -> Result<()> {
        let token = self.token.display().to_string();
        let list = self.data.postern(["approval", "list", "--json"]).await?;
        for line in list.lines() {
            let waiting: Approval = serde_json::from_str(line)?;
            if waiting.approver.route().is_some() {
                let id = waiting.id.as_str();
                let approve = ["approval", "approve", id, "--reason", reason];
                let arguments = ["--token-file", &token].into_iter().chain(approve);
                self.data.postern(arguments).await?;
            }
        }
        Ok(())
    }
}

/// How many expectations there were, and those that were not met.
#[derive(Debug, Default)]
pub(crate) struct Score {
    pub(crate) conversations: usize,
    pub(crate) expectations: usize,
    pub(crate) missed: Vec<String>,
}

/// Plays all conversations, one after the other.
pub(crate) async fn all(stage: &Stage<'_>, scenes: &[Scene], show: &mut Show) -> Result<Score> {
    let mut score = Score { conversations: scenes.len(), ..Score::default() };
    for (number, scene) in (1..).zip(scenes) {
        let place = match scene.place {
            Place::Telegram => "Telegram",
            Place::Web => "web chat",
        };
        show.event(&Event::Scene { number, title: scene.title, place });
        let mut talk = Talk::open(stage, scene, number).await?;
        for step in &scene.steps {
            perform(stage, &mut talk, number, step, &mut score, show).await?;
        }
    }
    Ok(score)
}

async fn perform(
    stage: &Stage<'_>,
    talk: &mut Talk<'_>,
    number: usize,
    step: &Step,
    score: &mut Score,
    show: &mut Show,
) -> Result<()> {
    let text = step.act.text();
    match &step.act {
        Act::Approve(reason) => show.event(&Event::Approval { reason }),
        Act::Say(_) | Act::SayDeliveredTwice(_) | Act::Forge(_) => {
            show.event(&Event::Customer { text });
        }
    }
    let began = Instant::now();
    let statuses = talk.act(&step.act).await?;
    let mut seen = Observed { statuses, ..Observed::default() };
    match &step.act {
        Act::Say(_) | Act::SayDeliveredTwice(_) | Act::Approve(_) => {
            talk.turns += usize::from(!matches!(step.act, Act::Approve(_)));
            match talk.outcome(&stage.host.operator(), &mut seen).await {
                // What is late or lost shows as expectations that are not met.
                Err(problem @ SupportError::Late { .. }) => {
                    show.event(&Event::Trouble { text: &problem.to_string() });
                }
                other => other.context("cannot follow the conversation")?,
            }
        }
        Act::Forge(_) => {
            let detail = stage.host.operator().conversation(&talk.conversation()).await?;
            seen.conversation = detail.map(|detail| detail.conversation);
        }
    }
    show.observed(&seen, began.elapsed());
    for expect in &step.expect {
        let (claim, held) = (expect.claim(), expect.holds(&seen));
        score.expectations += 1;
        if !held {
            score.missed.push(format!("conversation {number}, after “{text}”: {claim}"));
        }
        show.event(&Event::Expectation { claim: &claim, held });
    }
    Ok(())
}

/// The customer's side of one conversation.
struct Talk<'a> {
    stage: &'a Stage<'a>,
    line: Line,
    turns: usize,
    answers: Vec<String>,
}

enum Line {
    Telegram { client: reqwest::Client, sender: Sender, sent: i64 },
    Web(Box<WebChat>),
}

impl<'a> Talk<'a> {
    async fn open(stage: &'a Stage<'a>, scene: &Scene, number: usize) -> Result<Self> {
        let line = match scene.place {
            Place::Telegram => {
                let id = 900_000_000 + i64::try_from(number)?;
                let sender = Sender { id, first_name: scene.name.clone() };
                Line::Telegram { client: http_client(), sender, sent: 0 }
            }
            Place::Web => Line::Web(Box::new(WebChat::open(stage.host.public(), ACCOUNT).await?)),
        };
        Ok(Self { stage, line, turns: 0, answers: Vec::new() })
    }

    /// The conversation; for Telegram as it will be called once it exists.
    fn conversation(&self) -> ConversationId {
        match &self.line {
            Line::Telegram { sender, .. } => {
                let chat = sender.id.to_string();
                ConversationId::derive(&[Channel::Telegram.as_str(), ACCOUNT, &chat, &chat])
            }
            Line::Web(chat) => chat.conversation().clone(),
        }
    }

    /// Does what the customer does, and answers the statuses that webhooks got.
    async fn act(&mut self, act: &Act) -> Result<Vec<u16>> {
        let text = act.text();
        if let Act::Approve(reason) = act {
            self.stage.approver.approve(reason).await?;
            return Ok(Vec::new());
        }
        match &mut self.line {
            Line::Web(chat) => {
                chat.send(text).await?;
                Ok(Vec::new())
            }
            Line::Telegram { client, sender, sent } => {
                *sent += 1;
                let update = webhook::text_update(sender.id * 1_000 + *sent, *sent, sender, text);
                let secret = match act {
                    Act::Say(_) | Act::SayDeliveredTwice(_) | Act::Approve(_) => self.stage.secret,
                    Act::Forge(_) => "guessed",
                };
                let public = self.stage.host.public();
                let deliver = || webhook::deliver(client, public, ACCOUNT, secret, &update);
                match act {
                    Act::Say(_) | Act::Forge(_) | Act::Approve(_) => Ok(vec![deliver().await?]),
                    Act::SayDeliveredTwice(_) => {
                        let (one, other) = tokio::try_join!(deliver(), deliver())?;
                        Ok(vec![one, other])
                    }
                }
            }
        }
    }

    /// Waits for the next turn and the answers of it.
    async fn outcome(
        &mut self,
        operator: &Operator,
        seen: &mut Observed,
    ) -> Result<(), SupportError> {
        let id = self.conversation();
        let known = self.answers.len();
        let answers = |detail: &ConversationDetail| {
            detail.messages.iter().filter(|m| m.message.author == Author::Bot).count()
        };
        let turns = self.turns;
        let enough =
            |detail: &ConversationDetail| settled_turns(detail) >= turns && answers(detail) > known;
        let detail = operator
            .wait_for(&id, &format!("the answer of turn {turns}"), enough, PATIENCE)
            .await?;
        describe(&detail, turns, seen);
        let n = answers(&detail);
        match &mut self.line {
            Line::Telegram { sender, .. } => {
                let chat = sender.id.to_string();
                let sent = self.stage.telegram.wait_for_chat(&chat, n, PATIENCE).await?;
                self.answers = sent.into_iter().map(|sent| sent.text).collect();
            }
            Line::Web(chat) => {
                while self.answers.len() < n {
                    self.answers.push(chat.next_answer(PATIENCE).await?.text);
                }
            }
        }
        seen.answers = self.answers.get(known..).unwrap_or_default().to_vec();
        seen.answers_in_all = self.answers.len();
        Ok(())
    }
}

/// The part of a turn's plan that is shown.
#[derive(Deserialize)]
struct PlanFile {
    plan: Plan,
}

#[derive(Deserialize)]
struct Plan {
    understanding: Understanding,
}

#[derive(Deserialize)]
struct Understanding {
    ranked: Vec<Ranked>,
    in_scope: bool,
}

#[derive(Deserialize)]
struct Ranked {
    intent: String,
    probability: f64,
}

/// What the host tells about a conversation's turn `number`, from 1.
fn describe(detail: &ConversationDetail, number: usize, seen: &mut Observed) {
    let current = detail.conversation.ticket.as_ref();
    seen.ticket = detail.tickets.iter().find(|ticket| Some(&ticket.id) == current).cloned();
    seen.conversation = Some(detail.conversation.clone());
    let Some(mut turn) = detail.turns.get(number - 1) else { return };
    // What a yes lets happen, happens in the turn that waited for it.
    let runs = |turn: &&TurnRow| detail.invocations.iter().any(|run| run.turn == turn.id);
    if turn.plan.pointer("/plan/action/action").is_some_and(|action| action == "decide") {
        turn = detail.turns[..number].iter().rfind(runs).unwrap_or(turn);
    }
    if let Ok(PlanFile { plan }) = PlanFile::deserialize(&turn.plan) {
        let Understanding { ranked, in_scope } = plan.understanding;
        seen.intent = ranked.into_iter().next().map(|best| Intent {
            name: best.intent,
            probability: best.probability,
            in_scope,
        });
    }
    let mut calls = BTreeMap::<_, Vec<_>>::new();
    for entry in &detail.journal {
        calls.entry(&entry.invocation).or_default().push(entry.record.clone());
    }
    let of_turn = detail.invocations.iter().filter(|invocation| invocation.turn == turn.id);
    seen.tools = of_turn
        .map(|invocation| ToolRun {
            skill: invocation.skill.to_string(),
            version: invocation.version.clone(),
            tool: invocation.tool.clone(),
            came_to: crate::show::came_to(invocation.result.as_ref()),
            calls: calls.remove(&invocation.id).unwrap_or_default(),
        })
        .collect();
}
