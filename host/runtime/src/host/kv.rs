//! `postern:kv`

use postern_domain::{HostCall, HostReply};

use super::{
    Answer, answer,
    check::{self, Checked},
    weight,
};
use crate::{
    bindings::postern::kv::state::{Failure, Host},
    state::State,
};

const VALUE_BYTES: usize = 64 << 10;

/// A year.
const LONGEST_TTL_S: u32 = 31_536_000;

impl Host for State {
    async fn get(&mut self, key: String) -> Answer<Option<Vec<u8>>, Failure> {
        answer!(self.ask(Kv, weight::of_texts([&key]), get(key)), HostReply::Value { value } => value)
    }

    async fn set(&mut self, key: String, value: Vec<u8>, ttl_s: u32) -> Answer<(), Failure> {
        let bytes = weight::of_texts([&key]) + value.len() as u64;
        answer!(self.ask(Kv, bytes, set(key, value, ttl_s)), HostReply::Done => ())
    }

    async fn delete(&mut self, key: String) -> Answer<(), Failure> {
        answer!(self.ask(Kv, weight::of_texts([&key]), delete(key)), HostReply::Done => ())
    }
}

fn get(key: String) -> Checked<HostCall> {
    check::key(&key)?;
    Ok(HostCall::KvGet { key })
}

fn set(key: String, value: Vec<u8>, ttl_s: u32) -> Checked<HostCall> {
    check::key(&key)?;
    check::length("value", value.len(), 0, VALUE_BYTES)?;
    check::range("ttl-s", ttl_s, 1, LONGEST_TTL_S)?;
    Ok(HostCall::KvSet { key, value, ttl_s })
}

fn delete(key: String) -> Checked<HostCall> {
    check::key(&key)?;
    Ok(HostCall::KvDelete { key })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_a_size_and_an_end() {
        assert!(set("k".into(), vec![0; VALUE_BYTES], 1).is_ok());
        assert!(set("k".into(), vec![0; VALUE_BYTES + 1], 1).is_err());
        assert!(set("k".into(), vec![], 0).is_err());
        assert!(set("k".into(), vec![], LONGEST_TTL_S + 1).is_err());
        assert!(set(String::new(), vec![], 1).is_err());
    }
}
