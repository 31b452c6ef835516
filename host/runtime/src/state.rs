//! What belongs to one running instance, and the border that its calls cross.

use std::sync::Arc;

use postern_domain::{CallFailure, HostCall, HostReply, Interface, LogLine};
use wasmtime::ResourceLimiter;

use crate::{
    Answered, InterfaceCalls, Limits, PortError,
    halt::{Halt, Halted, WrongReply},
    host::weight,
    limits::Limit,
    meter::Meter,
    relay::Relay,
    wasi::Wasi,
};

/// What the guest's side and the side that polls it share.
#[derive(Debug)]
pub(crate) struct Border {
    pub(crate) meter: Meter,
    pub(crate) relay: Relay,
}

/// Everything that the host keeps for one invocation.
pub(crate) struct State {
    pub(crate) wasi: Wasi,
    pub(crate) limits: Limits,
    pub(crate) used: Used,
    /// Why the guest was stopped: the first limit, unless the port wants no more.
    pub(crate) halt: Option<Halt>,
    border: Arc<Border>,
    /// Whether output may go to the port as log lines.
    log: bool,
}

/// What was used so far of what the limits count.
#[derive(Debug)]
pub(crate) struct Used {
    pub(crate) memory_bytes: u64,
    pub(crate) table_elements: u64,
    pub(crate) host_calls: u32,
    pub(crate) interface_calls: InterfaceCalls,
    pub(crate) sent_bytes: u64,
    pub(crate) received_bytes: u64,
    pub(crate) log_lines: u32,
    pub(crate) log_bytes: u64,
    pub(crate) log_lines_dropped: u32,
}

impl Used {
    const NOTHING: Self = Self {
        memory_bytes: 0,
        table_elements: 0,
        host_calls: 0,
        interface_calls: InterfaceCalls::none(),
        sent_bytes: 0,
        received_bytes: 0,
        log_lines: 0,
        log_bytes: 0,
        log_lines_dropped: 0,
    };
}

impl State {
    pub(crate) fn new(wasi: Wasi, limits: Limits, border: Arc<Border>, log: bool) -> Self {
        Self { wasi, limits, used: Used::NOTHING, halt: None, border, log }
    }

    /// Keeps the reason and gives the error that ends the guest. What the port says
    /// counts for more than a limit: an invocation that it ended has no result.
    pub(crate) fn stop(&mut self, reason: Halt) -> wasmtime::Error {
        match (&self.halt, &reason) {
            (None, _) | (Some(Halt::Limit(_)), Halt::Abort(_)) => self.halt = Some(reason),
            (Some(Halt::Abort(_)), _) | (Some(Halt::Limit(_)), Halt::Limit(_)) => {}
        }
        wasmtime::Error::new(Halted)
    }

    /// Ends the guest if its processor time is used up.
    pub(crate) fn check_cpu(&mut self) -> wasmtime::Result<()> {
        if self.border.meter.is_used_up() {
            return Err(self.stop(Halt::Limit(Limit::CpuTime)));
        }
        Ok(())
    }

    /// Counts a call of the guest, whose arguments have so many bytes, and puts it
    /// to the port, if it is acceptable. One that is not has cost as much.
    pub(crate) async fn ask(
        &mut self,
        interface: Interface,
        bytes: u64,
        call: Result<HostCall, CallFailure>,
    ) -> wasmtime::Result<Result<HostReply, CallFailure>> {
        if self.used.host_calls >= self.limits.host_calls {
            return Err(self.stop(Halt::Limit(Limit::HostCalls)));
        }
        self.used.host_calls += 1;
        let calls = self.used.interface_calls.get(interface);
        if calls >= self.limits.interface_calls.get(interface) {
            return Err(self.stop(Halt::Limit(Limit::InterfaceCalls(interface))));
        }
        self.used.interface_calls.set(interface, calls + 1);
        self.send(bytes)?;
        let answer = match call {
            Ok(call) => {
                self.forward_output(false).await?;
                self.put(call).await?
            }
            Err(failure) => Err(failure),
        };
        self.receive(match &answer {
            Ok(reply) => weight::of_reply(reply),
            Err(failure) => failure.message.len() as u64,
        })?;
        Ok(answer)
    }

    /// Ends the guest because the port answered `action` with something else.
    pub(crate) fn wrong_reply(&mut self, action: &'static str) -> wasmtime::Error {
        self.stop(Halt::Abort(Box::new(WrongReply { action })))
    }

    /// Puts a log line to the port, or drops and counts it if it is over a cap. The
    /// guest never learns which.
    pub(crate) async fn log(&mut self, line: LogLine) -> wasmtime::Result<()> {
        self.send(weight::of_line(&line))?;
        self.forward_output(false).await?;
        self.forward(line).await
    }

    /// Sends what the guest printed to the log, so that it stands in its place
    /// among the calls. At the `end` also a last line that has no end.
    pub(crate) async fn forward_output(&mut self, end: bool) -> wasmtime::Result<()> {
        let (lines, dropped) = self.wasi.take_output(end);
        self.used.log_lines_dropped = self.used.log_lines_dropped.saturating_add(dropped);
        if !self.log {
            return Ok(());
        }
        for line in lines {
            self.forward(line).await?;
        }
        Ok(())
    }

    async fn forward(&mut self, line: LogLine) -> wasmtime::Result<()> {
        let bytes = self.used.log_bytes.saturating_add(weight::of_line(&line));
        if self.used.log_lines >= self.limits.log_lines || bytes > self.limits.log_bytes {
            self.used.log_lines_dropped = self.used.log_lines_dropped.saturating_add(1);
            return Ok(());
        }
        self.used.log_lines += 1;
        self.used.log_bytes = bytes;
        // A line that policy refuses is dropped like one over the cap.
        self.put(HostCall::Log { line }).await.map(drop)
    }

    /// The port's answer. The guest's clocks move to its time, so that they show
    /// the same whenever the call is answered from a record.
    async fn put(&mut self, call: HostCall) -> wasmtime::Result<Result<HostReply, CallFailure>> {
        match self.border.relay.call(call).await {
            Ok(Answered { answer, at }) => {
                self.wasi.move_clocks(at);
                Ok(answer)
            }
            Err(PortError(reason)) => Err(self.stop(Halt::Abort(reason))),
        }
    }

    /// Counts bytes that the guest gives to the host.
    fn send(&mut self, bytes: u64) -> wasmtime::Result<()> {
        self.used.sent_bytes = self.used.sent_bytes.saturating_add(bytes);
        if self.used.sent_bytes > self.limits.sent_bytes {
            return Err(self.stop(Halt::Limit(Limit::Sent)));
        }
        Ok(())
    }

    /// Counts bytes that the guest gets from the host.
    pub(crate) fn receive(&mut self, bytes: u64) -> wasmtime::Result<()> {
        self.used.received_bytes = self.used.received_bytes.saturating_add(bytes);
        if self.used.received_bytes > self.limits.received_bytes {
            return Err(self.stop(Halt::Limit(Limit::Received)));
        }
        Ok(())
    }
}

/// How much is in use after growing, or none if that is refused and costs
/// nothing: a module does not grow beyond what it declares, as the WebAssembly
/// standard has it.
fn grown(used: u64, current: usize, desired: usize, maximum: Option<usize>) -> Option<u64> {
    if maximum.is_some_and(|most| desired > most) {
        return None;
    }
    Some(used.saturating_add(desired.saturating_sub(current) as u64))
}

/// Growth beyond the invocation's limit ends it.
impl ResourceLimiter for State {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let Some(total) = grown(self.used.memory_bytes, current, desired, maximum) else {
            return Ok(false);
        };
        if total > self.limits.memory_bytes {
            return Err(self.stop(Halt::Limit(Limit::Memory)));
        }
        self.used.memory_bytes = total;
        Ok(true)
    }

    /// Growth was allowed above, so it is the system that has no more memory.
    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(error)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let Some(total) = grown(self.used.table_elements, current, desired, maximum) else {
            return Ok(false);
        };
        if total > self.limits.table_elements {
            return Err(self.stop(Halt::Limit(Limit::Table)));
        }
        self.used.table_elements = total;
        Ok(true)
    }

    fn table_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        Err(error)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use postern_domain::Timestamp;

    use super::*;

    fn state(limits: Limits) -> State {
        let border = Border { meter: Meter::new(Duration::from_secs(1)), relay: Relay::default() };
        let wasi = Wasi::new(Timestamp::from_millis(0), [7; 32], &limits, None);
        State::new(wasi, limits, Arc::new(border), true)
    }

    fn refused() -> Result<HostCall, CallFailure> {
        Err(CallFailure::invalid("key: is empty"))
    }

    #[tokio::test]
    async fn a_malformed_call_costs_as_much_as_another() {
        let mut limits = Limits { sent_bytes: 100, ..Limits::default() };
        limits.interface_calls.set(Interface::Kv, 2);
        let mut state = state(limits);
        for sent in [60, 100] {
            let answer = state.ask(Interface::Kv, sent - state.used.sent_bytes, refused()).await;
            assert_eq!(answer.unwrap(), refused().map(|_| HostReply::Done));
            assert_eq!(state.used.sent_bytes, sent);
        }
        assert_eq!(state.used.received_bytes, 2 * "key: is empty".len() as u64);
        assert!(state.ask(Interface::Kv, 0, refused()).await.is_err());
        let reached = Halt::Limit(Limit::InterfaceCalls(Interface::Kv));
        assert_eq!(format!("{:?}", state.halt), format!("{:?}", Some(reached)));
    }

    #[tokio::test]
    async fn bytes_of_malformed_calls_count() {
        let mut state = state(Limits { sent_bytes: 100, ..Limits::default() });
        assert!(state.ask(Interface::Http, 101, refused()).await.is_err());
        assert!(matches!(state.halt, Some(Halt::Limit(Limit::Sent))), "{:?}", state.halt);
    }
}
