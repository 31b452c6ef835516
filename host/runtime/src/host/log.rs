//! `postern:log`

use postern_domain::{LogLevel, LogLine};

use crate::{
    bindings::postern::log::logging::{Host, Level},
    state::State,
};

impl Host for State {
    async fn log(
        &mut self,
        level: Level,
        message: String,
        fields: Vec<(String, String)>,
    ) -> wasmtime::Result<()> {
        let level = match level {
            Level::Trace => LogLevel::Trace,
            Level::Debug => LogLevel::Debug,
            Level::Info => LogLevel::Info,
            Level::Warn => LogLevel::Warn,
            Level::Error => LogLevel::Error,
        };
        State::log(self, LogLine { level, message, fields }).await
    }
}
