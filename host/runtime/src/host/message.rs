//! `postern:message`

use postern_domain::{Audience, HostCall, HostReply};

use super::{
    Answer, answer,
    check::{self, Checked},
    weight,
};
use crate::{
    bindings::postern::message::sending::{self as wit, Failure, Host},
    state::State,
};

const TEXT_BYTES: usize = 16 << 10;

impl Host for State {
    async fn send(&mut self, audience: wit::Audience, text: String) -> Answer<u32, Failure> {
        let bytes = weigh(&audience, &text);
        let call = send(audience, text);
        answer!(self.ask(Message, bytes, call), HostReply::Sent { recipients } => recipients)
    }
}

fn weigh(audience: &wit::Audience, text: &str) -> u64 {
    let to = match audience {
        wit::Audience::Customer => 0,
        wit::Audience::Queue(name) => weight::of_texts([name]),
        wit::Audience::Customers(keys) => weight::of_texts(keys),
    };
    to + weight::of_texts([text])
}

fn send(audience: wit::Audience, text: String) -> Checked<HostCall> {
    check::length("text", text.len(), 1, TEXT_BYTES)?;
    let audience = match audience {
        wit::Audience::Customer => Audience::Customer,
        wit::Audience::Queue(name) => {
            check::name("queue", &name, "_-", 64)?;
            Audience::Queue { name }
        }
        wit::Audience::Customers(keys) => {
            check::count("customers", keys.len(), 1, 1_000)?;
            keys.iter().try_for_each(|key| check::key(key))?;
            Audience::Customers { keys }
        }
    };
    Ok(HostCall::MessageSend { audience, text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audience_is_bounded() {
        let customers = |count: usize| wit::Audience::Customers(vec!["c".into(); count]);
        assert!(send(wit::Audience::Customer, "hi".into()).is_ok());
        assert!(send(wit::Audience::Customer, String::new()).is_err());
        assert!(send(wit::Audience::Queue("../x".into()), "hi".into()).is_err());
        assert!(send(customers(0), "hi".into()).is_err());
        assert!(send(customers(1_000), "hi".into()).is_ok());
        assert!(send(customers(1_001), "hi".into()).is_err());
    }
}
