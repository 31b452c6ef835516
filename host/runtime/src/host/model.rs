//! `postern:model`

use postern_domain::{HostCall, HostReply, ModelMessage, ModelRequest, ModelRole};

use super::{
    Answer, answer,
    check::{self, Checked},
    weight,
};
use crate::{
    bindings::postern::model::completion::{self as wit, Failure, Host, Role},
    state::State,
};

const TEXT_BYTES: usize = 64 << 10;

impl Host for State {
    async fn complete(&mut self, request: wit::Request) -> Answer<wit::Answer, Failure> {
        let texts = request.messages.iter().map(|message| &message.text);
        let bytes = weight::of_texts(texts.chain([&request.purpose]));
        answer!(self.ask(Model, bytes, complete(request)), HostReply::Completion { completion } => wit::Answer {
            text: completion.text,
            input_tokens: completion.input_tokens,
            output_tokens: completion.output_tokens,
        })
    }
}

fn complete(request: wit::Request) -> Checked<HostCall> {
    let wit::Request { purpose, messages, max_tokens } = request;
    check::slug("purpose", &purpose, 64)?;
    check::count("messages", messages.len(), 1, 64)?;
    let bytes = messages.iter().map(|message| message.text.len()).sum();
    check::length("messages", bytes, 1, TEXT_BYTES)?;
    check::range("max-tokens", max_tokens, 1, 4_096)?;
    let message = |wit::Message { role, text }| {
        let role = match role {
            Role::System => ModelRole::System,
            Role::User => ModelRole::User,
            Role::Assistant => ModelRole::Assistant,
        };
        ModelMessage { role, text }
    };
    let messages = messages.into_iter().map(message).collect();
    Ok(HostCall::ModelComplete { request: ModelRequest { purpose, messages, max_tokens } })
}
